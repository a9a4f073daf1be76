# SPDX-License-Identifier: MIT
# DESTDIR comes before every path. STRIP= leaves the symbols in, UNITDIR is where the unit goes.
STRIP ?= strip
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Debian's packages put the completion of zsh into /usr/share/zsh/vendor-completions.
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
# Below /usr/local fish looks only if XDG_DATA_DIRS has /usr/local/share.
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
MANDIR := $(PREFIX)/share/man/man1
BASHDIR := $(PREFIX)/share/bash-completion/completions
DOCDIR := $(PREFIX)/share/doc/zctrace
SHAREDIR := $(PREFIX)/share/zctrace
UNIT := deploy/systemd/zctrace-export.service

# What goes into each folder. uninstall removes the files of the same lists.
IN_DOC := LICENSE LICENSES/BSD-3-Clause.txt LICENSES/GPL-2.0.txt LICENSES/ISC.txt
IN_SHARE := schema/zctrace-2.schema.json schema/zctrace-diff-1.schema.json \
	schema/zctrace-fuse-1.schema.json schema/zctrace-stacks-1.schema.json
IN_GRAFANA := deploy/grafana/zctrace.json
IN_PROMETHEUS := deploy/prometheus/prometheus.yml deploy/prometheus/zctrace.rules.yml
INSTALLED = $(PREFIX)/bin/zctrace $(UNITDIR)/$(notdir $(UNIT)) \
	$(addprefix $(DOCDIR)/,$(notdir $(IN_DOC))) \
	$(addprefix $(SHAREDIR)/,$(notdir $(IN_SHARE))) \
	$(addprefix $(SHAREDIR)/grafana/,$(notdir $(IN_GRAFANA))) \
	$(addprefix $(SHAREDIR)/prometheus/,$(notdir $(IN_PROMETHEUS))) \
	$(BASHDIR)/zctrace $(ZSHDIR)/_zctrace $(FISHDIR)/zctrace.fish

install: all $(REFERENCE)/made  ## Install the stripped program, man pages, completions, schema, unit and dashboards
	install -D -m 755 $(if $(STRIP),-s --strip-program=$(STRIP)) $(BUILD)/zctrace $(DESTDIR)$(PREFIX)/bin/zctrace
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) $(IN_DOC)
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR) $(IN_SHARE)
	install -D -m 644 -t $(DESTDIR)$(MANDIR) $(REFERENCE)/man/*.1.gz
	install -D -m 644 -t $(DESTDIR)$(BASHDIR) $(REFERENCE)/completions/bash/zctrace
	install -D -m 644 -t $(DESTDIR)$(ZSHDIR) $(REFERENCE)/completions/zsh/_zctrace
	install -D -m 644 -t $(DESTDIR)$(FISHDIR) $(REFERENCE)/completions/fish/zctrace.fish
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR)/grafana $(IN_GRAFANA)
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR)/prometheus $(IN_PROMETHEUS)
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' $(UNIT) > $(BUILD)/$(notdir $(UNIT))
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(BUILD)/$(notdir $(UNIT))

uninstall:  ## Remove what install put there
	rm -f $(addprefix $(DESTDIR),$(INSTALLED)) $(DESTDIR)$(MANDIR)/zctrace.1.gz $(DESTDIR)$(MANDIR)/zctrace-*.1.gz
	-@rmdir $(addprefix $(DESTDIR),$(SHAREDIR)/grafana $(SHAREDIR)/prometheus $(SHAREDIR) $(DOCDIR)) 2>/dev/null
