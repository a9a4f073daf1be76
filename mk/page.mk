# SPDX-License-Identifier: MIT
# The page of --html: esbuild puts the scripts, the parts of d3 that they use and the styles into one
# file each, and scripts/assemble-page puts these into the page.
ESBUILD ?= esbuild
# Where Debian's node-d3-* packages are.
NODE_PATH ?= /usr/share/nodejs
PAGE := $(BUILD)/generated/html_page.inc
PAGE_FOLDER := cli/views/html/page
PAGE_SOURCES := $(sort $(shell find cli/views/html -name '*.js' -o -name '*.css' -o -name '*.html'))
PAGE_LICENSES := LICENSES/BSD-3-Clause.txt LICENSES/ISC.txt
BUNDLE := --bundle --minify --log-level=warning --target=es2020,chrome90,firefox90,safari14

$(BUILD)/page/script.js: $(PAGE_SOURCES)
	$(call say,BUNDLE,$@)NODE_PATH=$(NODE_PATH) $(ESBUILD) $(PAGE_FOLDER)/main.js $(BUNDLE) \
		--legal-comments=none --outfile=$@

$(BUILD)/page/style.css: $(PAGE_SOURCES)
	$(call say,BUNDLE,$@)$(ESBUILD) $(PAGE_FOLDER)/style/page.css $(BUNDLE) --outfile=$@

$(BUILD)/page/page.html: scripts/assemble-page $(BUILD)/page/script.js $(BUILD)/page/style.css $(PAGE_LICENSES)
	$(call say,GEN,$@)scripts/assemble-page $(PAGE_FOLDER)/page.html $(BUILD)/page/style.css \
		$(BUILD)/page/script.js $(PAGE_LICENSES) > $@

# A string literal, which html_page.cpp includes.
$(PAGE): $(BUILD)/page/page.html
	$(call say,GEN,$@)mkdir -p $(@D) && { printf 'R"zctrace-page('; cat $<; printf ')zctrace-page"'; } > $@
