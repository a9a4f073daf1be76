# SPDX-License-Identifier: MIT
# Compilers and flags. CPPFLAGS, CFLAGS, CXXFLAGS and LDFLAGS belong to the caller and come last;
# packagers set WERROR= so that a new compiler's warning does not stop a build.
CLANG ?= clang
CLANGXX ?= clang++
TEST_CXX ?= $(CLANGXX)
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
WERROR ?= -Werror
# Line numbers for backtraces. DEBUG=-g adds variables: a third more time and four times the size.
DEBUG ?= -g1
OPTIMIZE ?= -O2

ifneq ($(V),1)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2);
endif
SUBMAKE = $(MAKE) --no-print-directory -j$(JOBS)

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
WARNINGS := -Wall -Wextra $(WERROR)
DEPENDENCIES := -MMD -MP
ZC_CPPFLAGS := -I. -I$(BUILD)/generated -DZCTRACE_VERSION='"$(VERSION)"'
# The version of libfuse's interface that the sources use.
ZC_CPPFLAGS += -DFUSE_USE_VERSION=314

LIBRARIES := libbpf libdw libelf zlib libcap fmt liburing ncursesw libutf8proc prometheus-cpp-core \
	fuse3 sqlite3
FALLBACK_LIBS := -lbpf -ldw -lelf -lz -lcap -lfmt -luring -lncursesw -lutf8proc -lprometheus-cpp-core \
	-lfuse3 -lsqlite3
# libiberty is a static library that pkg-config does not know.
LIBS := $(or $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null),$(FALLBACK_LIBS)) -liberty -pthread
LIB_CPPFLAGS := $(filter-out -I/usr/include%,$(shell $(PKG_CONFIG) --cflags-only-I $(LIBRARIES) 2>/dev/null))

# Rules of slow-to-compile sources set LEVEL=-O0.
COMPILE_FLAGS = $(OPTIMIZE) $(DEBUG) $(WARNINGS) $(DEPENDENCIES) $(ZC_CPPFLAGS) $(LEVEL) $(CPPFLAGS)
ALL_CXXFLAGS = -std=c++20 $(COMPILE_FLAGS) $(LIB_CPPFLAGS) $(CXXFLAGS)
ALL_CFLAGS = $(COMPILE_FLAGS) $(CFLAGS)
# bpftool makes the types that libbpf relocates from the full debug information.
BPF_FLAGS := -O2 -g -iquote . $(WARNINGS) $(DEPENDENCIES) -target bpf -mcpu=v3 -Wno-unused-parameter
