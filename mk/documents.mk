# SPDX-License-Identifier: MIT
# Man pages and shell completions, from the options that the program itself defines, and the documents
# as HTML.
REFERENCE := $(BUILD)/reference
# A cross build names a zctrace of the same version that runs on this machine.
DESCRIBED ?= $(BUILD)/zctrace

.PHONY: reference html
reference: $(REFERENCE)/made  ## Write the man pages and the completions of bash, zsh and fish

$(REFERENCE)/made: $(BUILD)/zctrace scripts/reference $(wildcard scripts/references/*.py)
	$(call say,GEN,$(@D))rm -rf $(@D) && scripts/reference $(DESCRIBED) $(@D) && gzip -9nk $(@D)/man/*.1 && touch $@

html: packages-html  ## Write the documents as HTML into build/docs/, with checked links
	$(Q)$(SUBMAKE) $(BUILD)/zctrace
	$(call say,HTML,$(BUILD)/docs)ZCTRACE_BUILD=$(BUILD) scripts/html $(BUILD)/docs
