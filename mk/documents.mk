# SPDX-License-Identifier: MIT
# Man pages, shell completions and the documents as HTML.
# From the options that the program itself defines.
REFERENCE := $(BUILD)/reference

.PHONY: reference html
reference: $(REFERENCE)/made  ## Write the man pages and the completions of bash, zsh and fish

$(REFERENCE)/made: $(BUILD)/zctrace scripts/reference $(wildcard scripts/references/*.py)
	$(call say,GEN,$(@D))rm -rf $(@D) && scripts/reference $< $(@D) && gzip -9nk $(@D)/man/*.1 && touch $@

html: packages-html  ## Write the documents as HTML into build/docs/, with checked links
	$(call say,HTML,$(BUILD)/docs)scripts/html $(BUILD)/docs
