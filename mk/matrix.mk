# SPDX-License-Identifier: MIT
# The kernel tests on other kernels and on arm64, in an emulator.
MATRIX ?= amd64 arm64
MATRIX_TREE := $(BUILD)/kernel-matrix
# Of tests/cli, what depends on the kernel and its modules most: an emulated processor is slow.
MATRIX_CLI := copies.filesystems_test.* copies.network_test.* copies.sockets_test.* channels.vsock_test.* mount.causes_test.* saved.upgrades_test.*
IN_GUEST := zctrace kernel-tests bench/verified

# What `make support` runs in the guests, instead of the suites.
GUEST_TESTS = --cli '$(MATRIX_CLI)'

.PHONY: kernel-matrix matrix-quick support matrix-amd64 matrix-arm64 matrix-guests matrix-programs
kernel-matrix: $(MATRIX:%=matrix-%)  ## Run the tests on Linux 6.1 and 6.12 in an emulator (MATRIX='amd64 arm64')

# Both leave what they found in results/. The page has the kernels that this run has seen.
support:  ## Boot the same kernels, run the smoke tests there, and write docs/support.md (root; MATRIX=amd64)
	$(Q)rm -rf $(MATRIX_TREE)/results
	$(Q)$(MAKE) --no-print-directory kernel-matrix GUEST_TESTS=--only-smoke
	$(Q)scripts/support docs/support.md $(BUILD)/zctrace $(MATRIX_TREE)/results/*.json

matrix-programs: $(IN_GUEST:%=$(BUILD)/%) $(PROGRAMS)

SECOND = --kernel
matrix-amd64: packages-matrix
	$(Q)$(SUBMAKE) matrix-guests

# The oldest kernel differs most from that of the machine.
matrix-quick: packages-matrix  ## The kernel-matrix of amd64, with only the smoke tests on Linux 6.12
	$(Q)$(SUBMAKE) matrix-guests SECOND=--smoke-kernel

matrix-guests: matrix-programs
	$(Q)scripts/kernel-matrix/run $(BUILD) --directory $(MATRIX_TREE) $(GUEST_TESTS) \
		--kernel linux-image-cloud-amd64 $(SECOND) linux-image-6.12-cloud-amd64

# clang needs no other compiler to cross-compile against Debian's own packages. The host's
# pkg-config would name the host's headers.
ARM64 := --target=aarch64-linux-gnu --sysroot=$(abspath $(MATRIX_TREE)/arm64) -fuse-ld=lld -Wno-unused-command-line-argument
matrix-arm64: packages-arm64
	$(Q)scripts/kernel-matrix/sysroot arm64 $(MATRIX_TREE) \
		$(filter %-dev,$(BUILD_PACKAGES) $(UNIT_TEST_PACKAGES)) \
		libc6-dev libstdc++-$(shell g++ -dumpversion)-dev fuse3 $(GUEST_PACKAGES)
	$(Q)$(SUBMAKE) BUILD=$(BUILD)/arm64 ARCH=arm64 PKG_CONFIG=false OPTIMIZE=-O1 \
		CC='$(CLANG) $(ARM64)' CXX='$(CLANGXX) $(ARM64)' TEST_CXX='$(CLANGXX) $(ARM64)' matrix-programs
	$(Q)scripts/kernel-matrix/run $(BUILD)/arm64 --arch arm64 --directory $(MATRIX_TREE) $(GUEST_TESTS) \
		--root $(MATRIX_TREE)/arm64 \
		--kernel linux-image-cloud-arm64 --kernel linux-image-6.12-cloud-arm64

# The package on a live system: Debian's systemd as process 1, and a Prometheus that scrapes the unit.
LIVE_ROOT := $(BUILD)/package-check/live
LIVE_KERNEL ?= linux-image-cloud-amd64

.PHONY: unit-live
unit-live: packages-live  ## Boot Debian in an emulator, with the package's service under systemd and Prometheus (root)
	$(Q)$(SUBMAKE) deb
	$(Q)packaging/check/root $(LIVE_ROOT) systemd systemd-sysv dbus prometheus
	$(Q)mkdir -p $(MATRIX_TREE) && cp $(DEB)/zctrace_*.deb $(LIVE_ROOT)/tmp/zctrace.deb
	$(Q)packaging/check/enter $(LIVE_ROOT) sh -c 'apt-get -qq update && \
		apt-get -qq install -y --no-install-recommends /tmp/zctrace.deb && apt-get -qq clean' >/dev/null
	$(Q)scripts/kernel-matrix/live/run $(LIVE_ROOT) $(MATRIX_TREE) $(LIVE_KERNEL)
	$(Q)rm -rf --one-file-system $(LIVE_ROOT)
