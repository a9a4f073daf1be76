// SPDX-License-Identifier: MIT
// The tables for a terminal.
#include "cli/views/mount/mount_view.h"

#include "cli/views/mount/mount_tables.h"
#include "cli/views/wording.h"

namespace zctrace {
namespace {

Wording wording_of(const TableStyle& style) {
  return {style.unicode, style.width != 0 && style.width < kNarrowWidth, false};
}

}  // namespace

std::string mount_part_table(const Report& report, const TableStyle& style) {
  Page page(style);
  page.sections(mount_sections(report, wording_of(style)));
  return page.take();
}

std::string mount_table(const Report& report, const TableStyle& style) {
  Page page(style);
  page.title(mount_title(report, style.unicode));
  page.items(mount_circumstances(report, style.unicode));
  page.blank_line();
  return page.take() + mount_part_table(report, style);
}

}  // namespace zctrace
