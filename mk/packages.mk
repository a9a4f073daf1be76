# SPDX-License-Identifier: MIT
# The one list of Debian packages. `make packages-SET` installs what is missing of a set.
# tests/cli compares deploy/kubernetes/Containerfile with BUILD_PACKAGES.
BUILD_PACKAGES := g++ make pkg-config clang llvm libbpf-dev bpftool libcap-dev libcli11-dev \
	libfmt-dev nlohmann-json3-dev liburing-dev libncurses-dev libutf8proc-dev zlib1g-dev libelf-dev libdw-dev libiberty-dev \
	linux-libc-dev prometheus-cpp-dev libmicrohttpd-dev libfuse3-dev python3 \
	esbuild node-d3-array node-d3-axis node-d3-hierarchy node-d3-scale node-d3-selection node-d3-shape \
	libsqlite3-dev
UNIT_TEST_PACKAGES := libgtest-dev
TEST_PACKAGES := $(UNIT_TEST_PACKAGES) fuse3 fio nginx caddy haproxy postgresql iperf3 curl socat wrk openssl gcc-multilib strace \
	python3 python3-jsonschema tmux git procps util-linux coreutils libcap2-bin bash tar findutils \
	mount passwd iproute2 xfsprogs btrfs-progs prometheus systemd libclang-rt-dev cppcheck clang-format \
	man-db mandoc groff-base bash-completion zsh fish cmark-gfm \
	chromium chromium-driver python3-selenium nodejs sqlite3 binutils libdebuginfod1 lsof
TIDY_PACKAGES := clang-tidy cppcheck pyflakes3 shellcheck
BENCH_PACKAGES := libbpf-tools bpftrace linux-perf strace nginx wrk haproxy postgresql redis-server redis-tools \
	fio fuse3 python3
HTML_PACKAGES := cmark-gfm python3
DEB_PACKAGES := debhelper dpkg-dev fakeroot lintian
RPM_PACKAGES := rpm rpmlint
# For clean roots, in which packages are installed and tried.
ROOT_PACKAGES := mmdebstrap
IMAGE_PACKAGES := buildah
# The proxy in Go of the case studies.
README_PACKAGES := golang-go
# Compilers and crates of all rows of `compare --programs`, and the reader of published runs.
PROGRAM_PACKAGES := g++ golang-go rustc cargo librust-nix-dev librust-tokio-dev default-jdk-headless python3 \
	netcat-openbsd
SOAK_PACKAGES := stress-ng
MATRIX_PACKAGES := qemu-system-x86 busybox-static binutils e2fsprogs
ARM64_PACKAGES := qemu-system-arm lld
# Unpacked for the guests of the kernel matrix, where the host's own programs do not run.
GUEST_PACKAGES := busybox-static bash dash coreutils tar findutils strace mount util-linux procps \
	xfsprogs btrfs-progs iproute2 python3 python3-jsonschema

.PHONY: packages packages-build packages-test packages-tidy packages-bench packages-html packages-deb packages-rpm packages-root packages-image packages-live packages-readme packages-programs packages-soak packages-matrix packages-arm64

packages: packages-build  ## Install the packages that the build needs (Debian; root or sudo)

packages-build:
	$(Q)scripts/packages $(BUILD_PACKAGES)

packages-test:  ## Install the packages that the build and the tests need
	$(Q)scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES)

packages-tidy:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(UNIT_TEST_PACKAGES) $(TIDY_PACKAGES)

packages-bench:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)

packages-html:
	$(Q)scripts/packages $(HTML_PACKAGES)

packages-deb:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(DEB_PACKAGES)

packages-rpm:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(RPM_PACKAGES)

packages-root:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(DEB_PACKAGES) $(ROOT_PACKAGES)

packages-image:
	$(Q)scripts/packages $(IMAGE_PACKAGES) $(ROOT_PACKAGES)

packages-live: packages-root
	$(Q)scripts/packages $(MATRIX_PACKAGES)

packages-readme:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(README_PACKAGES)

packages-programs:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(PROGRAM_PACKAGES)

packages-soak:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(SOAK_PACKAGES)

packages-matrix:
	$(Q)scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(MATRIX_PACKAGES)

packages-arm64: packages-matrix
	$(Q)scripts/packages $(ARM64_PACKAGES)
