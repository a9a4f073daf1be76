// SPDX-License-Identifier: MIT
// One call of zlib, into a buffer that is large enough.
#include "cli/export/gzip.h"

#include <zlib.h>

#include "collector/os/error.h"

namespace zctrace {

std::string gzip(std::string_view text) {
  constexpr int kWindowBits = 15 + 16;  // the largest window, and gzip's header and trailer
  constexpr int kMemoryLevel = 8;       // zlib's default
  z_stream stream = {};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error("cannot compress: out of memory");
  std::string compressed(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  ::deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return compressed;
}

}  // namespace zctrace
