# SPDX-License-Identifier: MIT
# The programs of `compare --programs`, in each language whose compiler is there. None is needed to
# build zctrace, which says what is missing.
ROWS := $(BUILD)/transfers/programs
ROW_SOURCES := transfers/programs
GO ?= $(shell command -v go)
RUSTC ?= $(shell command -v rustc)
CARGO ?= $(shell command -v cargo)
# Where Debian's librust-*-dev packages are. Nothing is downloaded.
CRATES ?= /usr/share/cargo/registry
JAVAC ?= $(shell command -v javac)
C_ROWS := $(patsubst $(ROW_SOURCES)/%.c,$(ROWS)/%,$(wildcard $(ROW_SOURCES)/c/*.c))
PYTHON_ROWS := $(patsubst $(ROW_SOURCES)/%,$(ROWS)/%,$(wildcard $(ROW_SOURCES)/python/*.py))
GO_ROWS := $(if $(GO),$(patsubst $(ROW_SOURCES)/%.go,$(ROWS)/%,$(wildcard $(ROW_SOURCES)/go/*.go)))
RUST_ROWS := $(if $(RUSTC),$(patsubst $(ROW_SOURCES)/%.rs,$(ROWS)/%,\
	$(filter-out %/ends.rs,$(wildcard $(ROW_SOURCES)/rust/*.rs))))
crate_row = $(if $(and $(CARGO),$(wildcard $(CRATES)/$(1)-[0-9]*)),$(ROWS)/rust/$(2))
CRATE_ROWS := $(call crate_row,nix,nix_sendfile64) $(call crate_row,tokio,tokio_copy)
JAVA_ROWS := $(if $(JAVAC),$(ROWS)/java/TransferTo.class)

.PHONY: programs

programs: $(ROWS)/list $(C_ROWS) $(PYTHON_ROWS) $(GO_ROWS) $(RUST_ROWS) $(CRATE_ROWS) $(JAVA_ROWS)  ## Build the programs of compare --programs, as far as there are compilers

$(ROWS)/list $(PYTHON_ROWS): $(ROWS)/%: $(ROW_SOURCES)/%
	$(Q)mkdir -p $(@D) && cp $< $@

$(C_ROWS): $(ROWS)/%: $(ROW_SOURCES)/%.c $(wildcard $(ROW_SOURCES)/c/*.h)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -o $@ $<

$(GO_ROWS): $(ROWS)/%: $(ROW_SOURCES)/%.go
	$(call say,GO,$<)mkdir -p $(@D) && GO111MODULE=off GOCACHE=$(abspath $(BUILD))/go $(GO) build -o $@ $<

$(RUST_ROWS): $(ROWS)/%: $(ROW_SOURCES)/%.rs $(ROW_SOURCES)/rust/ends.rs
	$(call say,RUSTC,$<)mkdir -p $(@D) && MAKEFLAGS= $(RUSTC) --edition 2021 -O -A dead_code -o $@ $<

# In a copy, because Cargo writes beside what it builds.
$(ROWS)/rust/nix_sendfile64: CARGO_FEATURES = $(if $(wildcard $(CRATES)/nix-0.26*),--features raw_descriptors)
$(CRATE_ROWS): $(ROWS)/rust/%: $(ROW_SOURCES)/rust/%/main.rs $(ROW_SOURCES)/rust/%/Cargo.toml $(ROW_SOURCES)/rust/ends.rs
	$(call say,CARGO,$<)mkdir -p $(@D) $(BUILD)/cargo/$(*F) && cp $(ROW_SOURCES)/rust/ends.rs $(BUILD)/cargo && \
		cp $(<D)/main.rs $(<D)/Cargo.toml $(BUILD)/cargo/$(*F) && rm -f $(BUILD)/cargo/$(*F)/Cargo.lock && \
		MAKEFLAGS= CARGO_HOME=$(abspath $(BUILD))/cargo/home $(CARGO) build --offline --release --quiet $(CARGO_FEATURES) \
		--manifest-path $(BUILD)/cargo/$(*F)/Cargo.toml --target-dir $(BUILD)/cargo/target \
		--config 'source.crates-io.replace-with="debian"' --config 'source.debian.directory="$(CRATES)"' && \
		cp $(BUILD)/cargo/target/release/$(*F) $@

$(JAVA_ROWS): $(wildcard $(ROW_SOURCES)/java/*.java)
	$(call say,JAVAC,$(ROW_SOURCES)/java)mkdir -p $(@D) && $(JAVAC) -d $(@D) $^

.PHONY: reproduce

reproduce: all programs  ## Measure what others published, and write docs/reproduction.md (root; SIZE=1G RUNS=5)
	$(Q)scripts/reproduce $(BUILD)/zctrace $(or $(SIZE),1G) $(or $(RUNS),5)
