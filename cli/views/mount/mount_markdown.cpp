// SPDX-License-Identifier: MIT
#include "cli/views/markdown_view.h"
#include "cli/views/mount/mount_tables.h"
#include "cli/views/mount/mount_view.h"
#include "cli/views/wording.h"

namespace zctrace {
namespace {

constexpr Wording kMarkdownWording = {true, false, false};

}  // namespace

std::string mount_part_markdown(const Report& report) {
  return markdown_sections(mount_sections(report, kMarkdownWording));
}

std::string mount_markdown(const Report& report) {
  Section head{mount_title(report, true), {mount_circumstances(report, true)}, {}, {}, {}};
  return markdown_sections({head}) + mount_part_markdown(report);
}

}  // namespace zctrace
