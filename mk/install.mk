# SPDX-License-Identifier: MIT
install: all  ## Install into PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/zctrace $(DESTDIR)$(PREFIX)/bin/zctrace

uninstall:  ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/zctrace
