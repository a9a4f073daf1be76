// Giving up what is no longer needed once the probes are loaded.
#pragma once

namespace zctrace {

// Drops every capability of this process but CAP_KILL (to pass signals on to a command that
// runs as somebody else) and, where `inspect` is set, the two that reading other users' /proc
// entries needs. Root's uid stays. Throws Error.
void drop_capabilities(bool inspect);

}  // namespace zctrace
