# SPDX-License-Identifier: MIT
# Packages: deb and rpm are built from a copy of the source tree, each in a folder of its own below
# build/; the tarball has the program that is built already, linked once more.
DEB := $(BUILD)/deb
RPM := $(BUILD)/rpm
TARBALL := $(BUILD)/tarball
RELEASE := zctrace-$(VERSION)-linux-$(shell uname -m)
CLEAN_ROOT := $(BUILD)/package-check/root

# Debian has no static library of these two, and that of libmicrohttpd, which export loads, would need
# GnuTLS. The rpath, unlike a runpath, is also that of the libraries in there.
SHARED_LIBS := -lfmt -lprometheus-cpp-core
# The last three are what the static libraries themselves need.
STATIC_LIBS := $(filter-out $(SHARED_LIBS) -pthread -lpthread -ltinfo,$(filter -l%,$(LIBS))) -ltinfo -llzma -lbz2
RELEASE_LDFLAGS := -Wl,-rpath,'$$ORIGIN/../lib/zctrace' -Wl,--disable-new-dtags -Wl,-z,relro,-z,now

IMAGE := $(BUILD)/image

.PHONY: deb rpm tarball image package-check

deb: packages-deb  ## Make the Debian package in build/deb/, and check it with lintian
	$(Q)CXX='$(CXX)' packaging/deb/build $(DEB) $(BUILD_PACKAGES)

rpm: packages-rpm  ## Make the rpm and its source rpm in build/rpm/, and check them with rpmlint
	$(Q)CXX='$(CXX)' packaging/rpm/build $(RPM)

tarball: packages-build  ## Make a release in build/tarball/ that runs where nothing is installed
	$(Q)$(SUBMAKE) $(TARBALL)/$(RELEASE).tar.gz

$(BUILD)/zctrace-release: $(MAIN) $(PROGRAM)
	$(call say,LINK,$@)$(CXX) $(CXXFLAGS) $(LDFLAGS) $(RELEASE_LDFLAGS) -o $@ $^ \
		-Wl,-Bstatic $(STATIC_LIBS) -Wl,-Bdynamic $(SHARED_LIBS) -pthread -ldl -lm

$(TARBALL)/$(RELEASE).tar.gz: $(BUILD)/zctrace-release $(REFERENCE)/made $(wildcard packaging/tarball/*) README.md CHANGELOG.md
	$(call say,TAR,$@)rm -rf $(TARBALL) && $(MAKE) --no-print-directory install PREFIX=/usr/local DESTDIR=$(TARBALL)/stage >/dev/null
	$(Q)mv $(TARBALL)/stage/usr/local $(TARBALL)/$(RELEASE) && rm -r $(TARBALL)/stage
	$(Q)packaging/tarball/build $< $(TARBALL)/$(RELEASE)
	$(Q)install -m 644 packaging/tarball/README LICENSE CHANGELOG.md $(TARBALL)/$(RELEASE)
	$(Q)tar -C $(TARBALL) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$$(stat -c %Y VERSION) -czf $@ $(RELEASE)

image: packages-image  ## Build the container image in build/image/ on a plain Debian, without a registry, and run it (root)
	$(Q)packaging/check/root $(CLEAN_ROOT)
	$(Q)rm -rf --one-file-system $(CLEAN_ROOT)
	$(Q)packaging/image/build $(CLEAN_ROOT).tar $(IMAGE)
	$(Q)packaging/image/check $(IMAGE)/zctrace-$(VERSION).oci.tar

package-check: packages-root  ## Install, run and purge the packages in a plain Debian (root; KIND=deb or tarball for one)
	$(Q)$(SUBMAKE) $(or $(KIND),deb tarball)
	$(Q)$(if $(filter tarball,$(KIND)),,packaging/check/root $(CLEAN_ROOT) && packaging/check/deb $(CLEAN_ROOT) $(DEB)/zctrace_*.deb)
	$(Q)$(if $(filter deb,$(KIND)),,packaging/check/root $(CLEAN_ROOT) && packaging/check/tarball $(CLEAN_ROOT) $(TARBALL)/$(RELEASE).tar.gz)
	$(Q)rm -rf --one-file-system $(CLEAN_ROOT)

.PHONY: manifest-check
manifest-check:  ## Check the Kubernetes manifest with kubectl, which must be installed; no cluster is needed
	$(Q)scripts/manifest-check deploy/kubernetes/daemonset.yaml
