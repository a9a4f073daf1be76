// SPDX-License-Identifier: MIT
// Unknown fields are allowed where the interface may grow, and refused in the small fixed
// objects, where only a misspelling could put one.
#include "cli/views/json_schema.h"

namespace zctrace {

std::string_view json_schema() {
  static constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "zctrace report, schema zctrace/1",
  "description": "Times are integers in nanoseconds, sizes in bytes, unless a name says otherwise.",
  "type": "object",
  "required": ["schema", "command", "version", "host", "argv", "exit_code", "started_at", "duration_ns", "completeness"],
  "properties": {
    "schema": {"const": "zctrace/1"},
    "command": {"enum": ["run", "attach", "compare", "mount"]},
    "version": {"type": "string", "minLength": 1},
    "host": {
      "type": "object",
      "required": ["kernel", "arch", "cpus"],
      "properties": {
        "kernel": {"type": "string"},
        "arch": {"type": "string"},
        "cpus": {"$ref": "#/$defs/count"}
      }
    },
    "argv": {"$ref": "#/$defs/argv"},
    "exit_code": {"$ref": "#/$defs/exit_code"},
    "started_at": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"},
    "duration_ns": {"$ref": "#/$defs/count"},
    "latency_measured": {"type": "boolean", "description": "false with --no-latency: times inside calls are then 0 and say nothing"},
    "completeness": {
      "type": "object",
      "required": ["lost_events", "in_flight_at_start", "in_flight_at_end", "compat_syscalls", "unfollowed_tasks"],
      "properties": {
        "lost_events": {"$ref": "#/$defs/count"},
        "lost": {"type": "object", "description": "lost_events by reason", "additionalProperties": {"$ref": "#/$defs/count"}},
        "in_flight_at_start": {"$ref": "#/$defs/count"},
        "in_flight_at_end": {"$ref": "#/$defs/count"},
        "compat_syscalls": {"$ref": "#/$defs/count"},
        "unfollowed_tasks": {"$ref": "#/$defs/count"},
        "verification": {"$ref": "#/$defs/verification"}
      }
    },
    "totals": {"$ref": "#/$defs/figures"},
    "processes": {"type": "array", "items": {"$ref": "#/$defs/process"}},
    "other_processes": {
      "description": "ended processes that processes does not list, because there were too many; totals include them",
      "allOf": [{"$ref": "#/$defs/figures"}],
      "required": ["count"],
      "properties": {"count": {"$ref": "#/$defs/count"}}
    },
    "source": {
      "type": "object",
      "required": ["kind", "path", "bytes"],
      "properties": {
        "kind": {"type": "string"},
        "path": {"type": "string"},
        "bytes": {"$ref": "#/$defs/count"}
      }
    },
    "sink": {
      "type": "object",
      "required": ["kind"],
      "properties": {"kind": {"type": "string"}}
    },
    "baseline": {"type": "string"},
    "mount": {
      "type": "object",
      "required": ["source", "mount_point", "cache", "splice"],
      "properties": {
        "source": {"type": "string"},
        "mount_point": {"type": "string"},
        "cache": {"enum": ["none", "auto", "always"]},
        "splice": {"type": "boolean"}
      }
    },
    "daemon": {"type": "object", "description": "what serving the mount cost", "additionalProperties": {"$ref": "#/$defs/count"}},
    "amplification": {
      "type": "object",
      "description": "mount --observe and run --mount: what a byte cost on each side",
      "required": ["bytes", "applications", "requests", "daemon"],
      "properties": {
        "bytes": {"$ref": "#/$defs/count", "description": "that applications moved, by calls and mappings; what is per GB is per 10^9 of these"},
        "applications": {"$ref": "#/$defs/observed_side", "description": "their calls on FUSE files"},
        "requests": {"$ref": "#/$defs/side"},
        "daemon": {"$ref": "#/$defs/observed_side", "description": "every call of the threads that serve"}
      },
      "additionalProperties": false
    },
    "files": {"type": "array", "items": {"$ref": "#/$defs/file"}},
    "methods": {"type": "array", "items": {"$ref": "#/$defs/method"}}
  },
  "if": {"required": ["command"], "properties": {"command": {"const": "compare"}}},
  "then": {
    "required": ["source", "sink", "baseline", "methods"],
    "not": {"required": ["processes"]}
  },
  "else": {
    "required": ["totals", "processes"],
    "not": {"required": ["methods"]}
  },
  "allOf": [
    {
      "if": {"required": ["command"], "properties": {"command": {"const": "mount"}}},
      "then": {
        "required": ["mount", "daemon", "files"],
        "properties": {"processes": {"items": {"required": ["fuse"]}}}
      }
    }
  ],
  "$defs": {
    "counter_check": {
      "type": ["object", "null"],
      "description": "null: not compared",
      "required": ["kernel", "counted", "difference", "margin"],
      "properties": {
        "kernel": {"$ref": "#/$defs/count"},
        "counted": {"$ref": "#/$defs/count"},
        "difference": {"$ref": "#/$defs/count"},
        "margin": {"type": ["integer", "null"], "minimum": 0, "description": "how far the comparison is open; null: upwards without end"}
      },
      "additionalProperties": false
    },
    "verification": {
      "type": "object",
      "description": "with --verify-counts: the counts against the kernel's own",
      "required": ["equal", "compared_processes", "not_compared", "io_not_verified", "syscr", "syscw", "rchar", "wchar", "voluntary_switches", "involuntary_switches", "reaped", "differences"],
      "properties": {
        "equal": {"type": "boolean"},
        "compared_processes": {"$ref": "#/$defs/count"},
        "not_compared": {"type": "object", "description": "processes by reason", "additionalProperties": {"$ref": "#/$defs/count"}},
        "io_not_verified": {"type": ["string", "null"], "description": "why syscr, syscw, rchar and wchar were not compared"},
        "syscr": {"$ref": "#/$defs/counter_check"},
        "syscw": {"$ref": "#/$defs/counter_check"},
        "rchar": {"$ref": "#/$defs/counter_check"},
        "wchar": {"$ref": "#/$defs/counter_check"},
        "voluntary_switches": {"$ref": "#/$defs/counter_check"},
        "involuntary_switches": {"$ref": "#/$defs/counter_check"},
        "reaped": {
          "type": ["object", "null"],
          "description": "of the command and all that it waited for: the kernel's sums, and those of the observed processes",
          "additionalProperties": {
            "type": "object",
            "required": ["kernel", "observed"],
            "properties": {"kernel": {"$ref": "#/$defs/count"}, "observed": {"$ref": "#/$defs/count"}},
            "additionalProperties": false
          }
        },
        "differences": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["pid", "with_descendants", "counter", "kernel", "counted"],
            "properties": {
              "pid": {"type": "integer"},
              "with_descendants": {"type": "boolean", "description": "of what is under reaped"},
              "counter": {"enum": ["syscr", "syscw", "rchar", "wchar", "voluntary_switches", "involuntary_switches"]},
              "kernel": {"$ref": "#/$defs/count"},
              "counted": {"$ref": "#/$defs/count"}
            },
            "additionalProperties": false
          }
        }
      }
    },
    "fuse_operations": {
      "type": "object",
      "description": "by request: read, mmap, read_or_mmap, write, lookup ...",
      "additionalProperties": {
        "type": "object",
        "required": ["count", "errors", "bytes", "spliced_bytes", "copied_bytes", "latency_ns"],
        "properties": {
          "count": {"$ref": "#/$defs/count"},
          "errors": {"$ref": "#/$defs/count"},
          "bytes": {"$ref": "#/$defs/count"},
          "spliced_bytes": {"$ref": "#/$defs/count"},
          "copied_bytes": {"$ref": "#/$defs/count"},
          "latency_ns": {
            "type": "object",
            "required": ["mean", "max", "total"],
            "additionalProperties": {"$ref": "#/$defs/count"}
          }
        },
        "additionalProperties": false
      }
    },
    "fuse_usage": {
      "type": "object",
      "required": ["operations", "bytes_read", "bytes_written", "spliced_bytes", "copied_bytes"],
      "properties": {
        "operations": {"$ref": "#/$defs/fuse_operations"},
        "requests": {"$ref": "#/$defs/count"},
        "bytes_read": {"$ref": "#/$defs/count"},
        "bytes_written": {"$ref": "#/$defs/count"},
        "spliced_bytes": {"$ref": "#/$defs/count", "description": "spliced by the daemon"},
        "copied_bytes": {"$ref": "#/$defs/count", "description": "copied through the daemon's memory"}
      }
    },
    "side": {
      "type": "object",
      "required": ["calls", "bytes", "copied_bytes", "in_kernel_bytes", "per_gb"],
      "properties": {
        "calls": {"$ref": "#/$defs/count"},
        "bytes": {"$ref": "#/$defs/count", "description": "copied_bytes and in_kernel_bytes"},
        "copied_bytes": {"$ref": "#/$defs/count"},
        "in_kernel_bytes": {"$ref": "#/$defs/count"},
        "per_gb": {
          "type": ["object", "null"],
          "description": "the counts beside it for 10^9 bytes that applications moved; null: they moved none",
          "required": ["calls", "bytes", "copied_bytes", "in_kernel_bytes"],
          "additionalProperties": {"$ref": "#/$defs/amount"}
        }
      }
    },
    "observed_side": {
      "allOf": [{"$ref": "#/$defs/side"}],
      "required": ["voluntary_switches", "involuntary_switches", "rows"],
      "properties": {
        "voluntary_switches": {"$ref": "#/$defs/count"},
        "involuntary_switches": {"$ref": "#/$defs/count"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/exact_row"}}
      }
    },
    "file": {
      "allOf": [{"$ref": "#/$defs/fuse_usage"}],
      "required": ["path"],
      "properties": {"path": {"type": "string", "description": "from the root of the mount"}}
    },
    "count": {"type": "integer", "minimum": 0},
    "amount": {"type": "number", "minimum": 0},
    "argv": {"type": "array", "items": {"type": "string"}},
    "exit_code": {"type": ["integer", "null"], "minimum": 0, "maximum": 255, "description": "as a shell shows it: 128+N for signal N"},
    "kind": {"enum": ["user", "file", "socket", "pipe", "device", "fuse", "other"]},
    "share": {"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": "null: nothing was delivered"},
    "row": {
      "type": "object",
      "required": ["syscall", "from", "to", "calls", "errors", "restarts", "bytes", "wall_ns", "off_cpu_ns", "voluntary_switches", "involuntary_switches", "latency_ns"],
      "properties": {
        "syscall": {"type": "string", "minLength": 1},
        "from": {"$ref": "#/$defs/kind"},
        "to": {"$ref": "#/$defs/kind"},
        "copy": {"enum": ["none", "copied", "in_kernel", "lent"]},
        "asynchronous": {"type": "boolean", "description": "an io_uring operation or a FUSE request: moves bytes, is no syscall"},
        "calls": {"$ref": "#/$defs/amount"},
        "errors": {"$ref": "#/$defs/amount"},
        "restarts": {"$ref": "#/$defs/amount"},
        "bytes": {"$ref": "#/$defs/amount"},
        "wall_ns": {"$ref": "#/$defs/amount"},
        "off_cpu_ns": {"$ref": "#/$defs/amount"},
        "voluntary_switches": {"$ref": "#/$defs/amount"},
        "involuntary_switches": {"$ref": "#/$defs/amount"},
        "latency_ns": {
          "type": ["object", "null"],
          "description": "null: no call was timed",
          "required": ["p50", "p90", "p99", "max"],
          "properties": {
            "p50": {"$ref": "#/$defs/count"},
            "p90": {"$ref": "#/$defs/count"},
            "p99": {"$ref": "#/$defs/count"},
            "max": {"$ref": "#/$defs/count"}
          },
          "additionalProperties": false
        }
      },
      "additionalProperties": false
    },
    "exact_row": {
      "description": "a row whose numbers were counted, not averaged",
      "allOf": [
        {"$ref": "#/$defs/row"},
        {"additionalProperties": {"type": ["integer", "string", "boolean", "object", "null"]}}
      ]
    },
    "per_gb": {
      "type": ["object", "null"],
      "description": "per 10^9 bytes delivered; null: nothing was delivered",
      "required": ["syscalls", "crossings", "copied_bytes", "user_ns", "system_ns", "off_cpu_ns", "voluntary_switches", "involuntary_switches", "minor_faults", "major_faults"],
      "additionalProperties": {"$ref": "#/$defs/amount"}
    },
    "figures": {
      "type": "object",
      "required": ["user_ns", "system_ns", "minor_faults", "major_faults", "max_rss_bytes", "voluntary_switches", "involuntary_switches", "outside_syscalls", "syscalls", "crossings", "copied_bytes", "in_kernel_bytes", "delivered_bytes", "zero_copy_share", "rows"],
      "properties": {
        "threads": {"$ref": "#/$defs/count"},
        "user_ns": {"$ref": "#/$defs/count"},
        "system_ns": {"$ref": "#/$defs/count"},
        "minor_faults": {"$ref": "#/$defs/count"},
        "major_faults": {"$ref": "#/$defs/count"},
        "max_rss_bytes": {"$ref": "#/$defs/count", "description": "in totals: the largest of any process"},
        "voluntary_switches": {"$ref": "#/$defs/count"},
        "involuntary_switches": {"$ref": "#/$defs/count"},
        "outside_syscalls": {
          "type": "object",
          "required": ["voluntary_switches", "involuntary_switches"],
          "properties": {
            "voluntary_switches": {"$ref": "#/$defs/count"},
            "involuntary_switches": {"$ref": "#/$defs/count"},
            "off_cpu_ns": {"$ref": "#/$defs/count"}
          },
          "additionalProperties": false
        },
        "syscalls": {"$ref": "#/$defs/count"},
        "errors": {"$ref": "#/$defs/count"},
        "crossings": {"$ref": "#/$defs/count"},
        "copied_bytes": {"$ref": "#/$defs/count"},
        "in_kernel_bytes": {"$ref": "#/$defs/count"},
        "delivered_bytes": {"$ref": "#/$defs/count"},
        "zero_copy_bytes": {"$ref": "#/$defs/count"},
        "zero_copy_share": {"$ref": "#/$defs/share"},
        "per_gb": {"$ref": "#/$defs/per_gb"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/exact_row"}}
      }
    },
    "process": {
      "allOf": [{"$ref": "#/$defs/figures"}],
      "required": ["pid", "parent_pid", "name", "argv"],
      "properties": {
        "pid": {"$ref": "#/$defs/count"},
        "tid": {"$ref": "#/$defs/count", "description": "by thread only"},
        "parent_pid": {"$ref": "#/$defs/count"},
        "name": {"type": "string"},
        "fuse": {"$ref": "#/$defs/fuse_usage", "description": "mount: the requests of the process"},
        "argv": {"$ref": "#/$defs/argv"},
        "started_ns": {"$ref": "#/$defs/count", "description": "since boot"},
        "ended_ns": {"type": ["integer", "null"], "minimum": 0, "description": "null: still runs"},
        "exit_code": {"$ref": "#/$defs/exit_code"}
      }
    },
    "statistics": {
      "type": "object",
      "required": ["mean", "stddev", "median", "min", "max", "runs"],
      "properties": {
        "mean": {"$ref": "#/$defs/amount"},
        "stddev": {"$ref": "#/$defs/amount"},
        "median": {"$ref": "#/$defs/amount"},
        "min": {"$ref": "#/$defs/amount"},
        "max": {"$ref": "#/$defs/amount"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/amount"}}
      },
      "additionalProperties": false
    },
    "method_daemon": {
      "type": "object",
      "description": "what the FUSE daemon did between the client's first call and its last; the times are medians of the timed runs",
      "required": ["splice", "user_ns", "system_ns", "fuse_requests", "fuse_bytes_read", "fuse_bytes_written", "fuse_spliced_bytes", "fuse_copied_bytes", "syscalls", "crossings", "copied_bytes", "in_kernel_bytes", "voluntary_switches", "involuntary_switches", "minor_faults", "major_faults", "rows"],
      "properties": {
        "splice": {"type": "boolean"},
        "user_ns": {"$ref": "#/$defs/amount"},
        "system_ns": {"$ref": "#/$defs/amount"},
        "fuse_requests": {"$ref": "#/$defs/count"},
        "fuse_bytes_read": {"$ref": "#/$defs/count"},
        "fuse_bytes_written": {"$ref": "#/$defs/count", "description": "those of copy_file_range included"},
        "fuse_spliced_bytes": {"$ref": "#/$defs/count", "description": "of both, those that the daemon spliced"},
        "fuse_copied_bytes": {"$ref": "#/$defs/count", "description": "of both, those that went through the daemon's memory"},
        "syscalls": {"$ref": "#/$defs/amount"},
        "crossings": {"$ref": "#/$defs/amount"},
        "copied_bytes": {"$ref": "#/$defs/amount"},
        "in_kernel_bytes": {"$ref": "#/$defs/amount"},
        "voluntary_switches": {"$ref": "#/$defs/amount"},
        "involuntary_switches": {"$ref": "#/$defs/amount"},
        "minor_faults": {"$ref": "#/$defs/amount"},
        "major_faults": {"$ref": "#/$defs/amount"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}}
      }
    },
    "method": {
      "type": "object",
      "required": ["method", "buffer_bytes", "supported", "error"],
      "properties": {
        "method": {"type": "string", "minLength": 1},
        "buffer_bytes": {"type": ["integer", "null"], "minimum": 1},
        "runs": {"$ref": "#/$defs/count"},
        "supported": {"type": "boolean"},
        "error": {"type": ["string", "null"]},
        "verified": {"type": ["boolean", "null"]},
        "wall_ns": {"$ref": "#/$defs/statistics"},
        "user_ns": {"$ref": "#/$defs/amount"},
        "system_ns": {"$ref": "#/$defs/amount"},
        "bytes": {"$ref": "#/$defs/count"},
        "bytes_per_s": {"$ref": "#/$defs/amount"},
        "relative": {"type": ["number", "null"], "minimum": 0},
        "syscalls": {"$ref": "#/$defs/amount"},
        "crossings": {"$ref": "#/$defs/amount"},
        "copied_bytes": {"$ref": "#/$defs/amount"},
        "in_kernel_bytes": {"$ref": "#/$defs/amount"},
        "voluntary_switches": {"$ref": "#/$defs/amount"},
        "involuntary_switches": {"$ref": "#/$defs/amount"},
        "minor_faults": {"$ref": "#/$defs/amount"},
        "major_faults": {"$ref": "#/$defs/amount"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        "fuse_splice": {"type": "boolean", "description": "from or to FUSE: whether the daemon of this row splices"},
        "daemon": {"$ref": "#/$defs/method_daemon"}
      },
      "dependentRequired": {"daemon": ["fuse_splice"]},
      "if": {"required": ["supported"], "properties": {"supported": {"const": true}}},
      "then": {"required": ["runs", "verified", "wall_ns", "user_ns", "system_ns", "bytes", "bytes_per_s", "relative", "syscalls", "crossings", "copied_bytes", "in_kernel_bytes", "voluntary_switches", "involuntary_switches", "minor_faults", "major_faults", "rows"]},
      "else": {"properties": {"error": {"type": "string"}}}
    }
  }
}
)json";
  return kSchema;
}

}  // namespace zctrace
