// SPDX-License-Identifier: MIT
// The capabilities that serving a mount needs.
#pragma once

namespace zctrace::fuse {

// Drops every other capability of the calling thread, and of threads that it will start. A mount
// for every user needs those that make root's file access root's, and those that let it act as the
// requester; any other mount needs none. CAP_SYS_RESOURCE is not among them: with it the blocks
// that a file system reserves for root, and every quota, would be open to all users of the mount.
// Throws Error.
void keep_serving_rights(bool for_everyone);

}  // namespace zctrace::fuse
