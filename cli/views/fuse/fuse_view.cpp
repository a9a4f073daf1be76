// SPDX-License-Identifier: MIT
// The tables for a terminal and for Markdown.
#include "cli/views/fuse/fuse_view.h"

#include "cli/views/markdown_view.h"

namespace zctrace {

using fusewatch::FuseActivity;

std::string fuse_table(const FuseActivity& activity, const TableStyle& style) {
  const bool narrow = style.width != 0 && style.width < kNarrowWidth;
  Page page(style);
  page.title(fuse_title(activity, style.unicode));
  page.items(fuse_circumstances(activity, style.unicode));
  page.blank_line();
  page.sections(fuse_sections(activity, {style.unicode, narrow, true}));
  return page.take();
}

std::string fuse_markdown(const FuseActivity& activity) {
  Section head{fuse_title(activity, true), {fuse_circumstances(activity, true)}, {}, {}, {}};
  std::vector<Section> sections = fuse_sections(activity, {true, false, true});
  sections.insert(sections.begin(), head);
  return markdown_sections(sections);
}

}  // namespace zctrace
