# SPDX-License-Identifier: MIT
# DESTDIR comes before every path. STRIP= leaves the symbols in, UNITDIR is where the unit goes.
STRIP ?= strip
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR := $(PREFIX)/share/doc/zctrace
SHAREDIR := $(PREFIX)/share/zctrace
UNIT := deploy/systemd/zctrace-export.service

# What goes into each folder. uninstall removes the files of the same lists.
IN_DOC := LICENSE LICENSES/GPL-2.0.txt
IN_SHARE := schema/zctrace-2.schema.json schema/zctrace-fuse-1.schema.json
IN_GRAFANA := deploy/grafana/zctrace.json
IN_PROMETHEUS := deploy/prometheus/prometheus.yml deploy/prometheus/zctrace.rules.yml
INSTALLED = $(PREFIX)/bin/zctrace $(UNITDIR)/$(notdir $(UNIT)) \
	$(addprefix $(DOCDIR)/,$(notdir $(IN_DOC))) \
	$(addprefix $(SHAREDIR)/,$(notdir $(IN_SHARE))) \
	$(addprefix $(SHAREDIR)/grafana/,$(notdir $(IN_GRAFANA))) \
	$(addprefix $(SHAREDIR)/prometheus/,$(notdir $(IN_PROMETHEUS)))

install: all  ## Install the stripped program, licenses, schema, unit and dashboards (PREFIX, DESTDIR)
	install -D -m 755 $(if $(STRIP),-s --strip-program=$(STRIP)) $(BUILD)/zctrace $(DESTDIR)$(PREFIX)/bin/zctrace
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) $(IN_DOC)
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR) $(IN_SHARE)
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR)/grafana $(IN_GRAFANA)
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR)/prometheus $(IN_PROMETHEUS)
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' $(UNIT) > $(BUILD)/$(notdir $(UNIT))
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(BUILD)/$(notdir $(UNIT))

uninstall:  ## Remove what install put there
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-@rmdir $(addprefix $(DESTDIR),$(SHAREDIR)/grafana $(SHAREDIR)/prometheus $(SHAREDIR) $(DOCDIR)) 2>/dev/null
