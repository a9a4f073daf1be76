# SPDX-License-Identifier: MIT
"""From where in real programs bytes are moved."""

import json
import os
import pathlib
import stat
import subprocess

import jsonschema

from paths import PATIENCE_S, ROOT, tool
from servers import BIG, CaddyTest, NginxTest, fetch
from stacks.stacks_case import CHAIN, MIB, SCHEMA, StacksTest, folded

STACK_CHAIN = ROOT / "tests" / "fixtures" / "programs" / "stacks" / "stack_chain.c"


class Stacks(StacksTest):
    def test_program_without_frame_pointers_and_with_a_large_buffer_on_its_stack(self):
        path = self.run_stacks("out.folded", self.program("stack_chain"), 256, options=["--strict"])
        self.assert_chain(folded(path), 256 * MIB)

    def test_json_has_source_lines_and_margins(self):
        report = self.directory / "report.json"
        path = self.run_stacks("out.json", self.program("stack_chain"), 256,
                               options=["--json", report])
        found = self.read_json(path)
        totals = json.loads(report.read_text())["totals"]
        moved = sum(row["bytes"] for row in totals["rows"])
        self.assertLessEqual(abs(found["bytes"] - moved), found["margin_bytes"])
        self.assertEqual(found["bytes"], found["samples"] * found["every_bytes"])
        self.assertEqual(found["samples"], sum(stack["samples"] for stack in found["stacks"]))
        self.assertEqual(found["lost"], {"stacks": 0})
        stack = next(stack for stack in found["stacks"] if stack["syscall"] == "write")
        self.assert_line_of_write(stack, self.program("stack_chain"))
        self.assertGreater(stack["margin_bytes"], 0)

    def assert_line_of_write(self, stack, program):
        frame = next(frame for frame in stack["user"] if frame["function"] == "give_bytes")
        self.assertTrue(frame["own"])
        self.assertEqual(frame["module"], str(program.resolve()))
        self.assertTrue(frame["source"].endswith("stack_chain.c"), frame)
        self.assertIn("write(sink", STACK_CHAIN.read_text().splitlines()[frame["line"] - 1])

    def test_source_lines_of_programs_by_clang(self):
        """It writes no .debug_aranges."""
        for kind in ("-gdwarf-4", "-gdwarf-5"):
            program = self.directory / f"chain{kind}"
            subprocess.run([tool("clang"), "-O1", kind, "-I", ROOT, "-o", program, STACK_CHAIN],
                           check=True, timeout=PATIENCE_S)
            found = self.read_json(self.run_stacks("out.json", program, 64))
            stack = next(stack for stack in found["stacks"] if stack["syscall"] == "write")
            self.assert_line_of_write(stack, program)

    def test_dd_of_debian_without_symbols(self):
        path = self.run_stacks("out.folded", "dd", "if=/dev/zero", "of=/dev/null", "bs=64K",
                               "count=4096")
        frames, count = folded(path)[0]
        self.assertEqual(frames[0], "dd")
        self.assertIn("__libc_start_call_main", frames)
        self.assertNotIn("[incomplete]", frames)
        self.assertGreater(count, 200 * MIB)

    def test_processes_that_forked_and_ended(self):
        chain = self.program("stack_chain")
        report = self.directory / "report.json"
        path = self.run_stacks("out.folded", "sh", "-c", f"{chain} 4096 & {chain} 4096; wait",
                               every="4M", options=["--json", report])
        # On a busy machine the buffer may be full for a moment. What was lost is known.
        lost = json.loads(report.read_text())["completeness"]["lost"]["stacks"] * 4 * MIB
        found = sum(count for _, count in folded(path))
        self.assertAlmostEqual(found + lost, 16384 * MIB, delta=64 * MIB)
        self.assert_chain(folded(path), found // 2)

    def test_attached_process_whose_program_was_deleted(self):
        program = self.directory / "gone"
        program.write_bytes(self.program("stack_chain").read_bytes())
        program.chmod(0o755)
        chain = self.start([program, 256, "wait"], stdin=-1, text=True)
        self.wait_until(lambda: os.readlink(f"/proc/{chain.pid}/exe") == str(program), "it runs")
        program.unlink()
        path = self.directory / "out.folded"
        attached = self.attach(path, "-p", chain.pid, "--stacks-every", "256K")
        self.end_chain(chain, attached)
        attached.communicate(timeout=PATIENCE_S)
        self.assert_chain(folded(path), 256 * MIB)

    def test_process_in_another_mount_namespace(self):
        root = self.directory / "root"
        root.mkdir()
        script = (f"mount -t tmpfs none {root} && cp {self.program('stack_chain')} {root}/chain && "
                  f"exec {root}/chain 256 wait")
        chain = self.start(["unshare", "-m", "sh", "-c", script], stdin=-1, text=True)
        self.wait_until(lambda: os.readlink(f"/proc/{chain.pid}/exe").endswith("/chain"), "it runs")
        self.assertFalse((root / "chain").exists())
        path = self.directory / "out.folded"
        attached = self.attach(path, "-p", chain.pid, "--stacks-every", "256K")
        self.end_chain(chain, attached)
        attached.communicate(timeout=PATIENCE_S)
        self.assert_chain(folded(path), 256 * MIB)

    def test_file_is_private_and_intervals_write_it_once(self):
        chain = self.start([self.program("stack_chain"), 64, "wait"], stdin=-1, text=True)
        path = self.directory / "out.json"
        attached = self.attach(path, "-p", chain.pid, "-i", "100ms", "--stacks-every", "256K")
        self.end_chain(chain)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertGreater(self.read_json(path)["bytes"], 100 * MIB)

    def test_standard_output(self):
        done = self.zctrace("run", "-q", "--stacks", "-", "--", self.program("stack_chain"), 64)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        jsonschema.validate(found, SCHEMA)
        self.assertEqual(found["every_bytes"], MIB)

    def test_flame_graph_tools_can_read_every_line(self):
        path = self.run_stacks("out.folded", "sh", "-c", "cat /bin/* | wc -c", every="64K")
        for line in path.read_text().splitlines():
            self.assertRegex(line, r"^[^;]+(;[^;]+)+ [0-9]+$")

    def test_names_of_processes_are_escaped(self):
        program = self.directory / "a;b\nc"
        program.write_bytes(self.program("stack_chain").read_bytes())
        program.chmod(0o755)
        path = self.run_stacks("out.folded", program, 64)
        self.assertEqual({frames[0] for frames, _ in folded(path)}, {"a:b\\nc"})


class Errors(StacksTest):
    def assert_refused(self, words, message, status=2):
        done = self.zctrace("run", *words, "--", "true")
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(message, done.stderr)
        self.assertLessEqual(len(done.stderr.splitlines()), 2, done.stderr)  # perhaps with the usage

    def test_sizes(self):
        for size in ("4095", "2G", "0"):
            self.assert_refused(["--stacks", self.directory / "x", "--stacks-every", size],
                                "--stacks-every")
        self.assertFalse((self.directory / "x").exists())

    def test_size_without_a_file(self):
        self.assert_refused(["--stacks-every", "1M"], "--stacks-every needs --stacks FILE")

    def test_directory_that_does_not_exist(self):
        self.assert_refused(["--stacks", self.directory / "none" / "x"],
                            f"cannot write '{self.directory}/none/x'", 1)

    def test_same_file_as_another_output(self):
        path = self.directory / "both"
        self.assert_refused(["--json", path, "--stacks", path], "both write to")

    def test_workers_that_are_killed_cost_only_names(self):
        chain = self.start([self.program("stack_chain"), 128, "wait"], stdin=-1, text=True)
        path = self.directory / "out.json"
        attached = self.attach(path, "-p", chain.pid, "--stacks-every", "256K")
        workers = subprocess.run(["pgrep", "-P", str(attached.pid), "-x", "zctrace-stacks"],
                                 capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(len(workers), 3)
        for worker in workers:
            os.kill(int(worker), 9)
        self.end_chain(chain)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        found = self.read_json(path)
        self.assertLessEqual(abs(found["bytes"] - 256 * MIB), found["margin_bytes"])
        self.assertFalse(any(stack["complete"] for stack in found["stacks"]))


class Servers(StacksTest):
    def stacks_of(self, port, pid):
        path = self.directory / "out.json"
        attached = self.attach(path, "-p", pid, "--stacks-every", "64K")
        fetch(port, "big")
        self.detach(attached)
        found = self.read_json(path)
        self.assertEqual(found["lost"], {"stacks": 0})
        return found["stacks"]


class Nginx(Servers, NginxTest):
    def test_worker_reaches_main(self):
        """Debian's nginx has no symbols of its own functions but those that modules use."""
        self.start_nginx("sendfile off;")
        stacks = self.stacks_of(self.port, self.master.pid)
        (reads,) = [stack for stack in stacks if stack["syscall"] == "pread64"][:1]
        self.assertTrue(reads["complete"])
        self.assertGreater(sum(frame["own"] for frame in reads["user"]), 3)
        self.assertGreater(sum(stack["bytes"] for stack in stacks if stack["to"] == "socket"),
                           BIG / 2)


class Caddy(Servers, CaddyTest):
    def test_go_callers_by_frame_pointers_have_names(self):
        """Debian's caddy has no symbols, but the table of names that Go's runtime uses."""
        self.start_caddy()
        stacks = self.stacks_of(self.port, self.caddy.pid)
        (sent,) = [stack for stack in stacks if stack["syscall"] == "sendfile"][:1]
        self.assertGreater(sum(frame["own"] for frame in sent["user"]), 10)
        functions = [frame["function"] for frame in sent["user"]]
        self.assertNotIn(None, functions)
        self.assert_in_order(functions[::-1], ["net/http.(*conn).serve",
                                               "net/http.serverHandler.ServeHTTP"])
        self.assertIn("net.sendFile", functions)
