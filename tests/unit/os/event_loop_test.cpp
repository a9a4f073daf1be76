// SPDX-License-Identifier: MIT
// The event loop: order and stopping. Nothing here depends on how long anything takes.
#include "collector/os/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/exit_status.h"
#include "collector/os/wakeup.h"

namespace zctrace {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

// In a child, because Signals changes a process for good.
template <typename Body>
std::string in_child(Body body) {
  Child child(dependent_child({}), [&] { ::_exit(body() ? 0 : 1); });
  return ending_text(child.wait());
}

TEST(EventLoop, StopsAtItsTime) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              loop.at(EventLoop::Clock::now(), [&] { loop.stop(); });
              loop.run();
              return loop.signal() == 0;
            }),
            "");
}

TEST(EventLoop, RunsNoHandlerOnceItIsStopped) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              bool late = false;
              loop.at(EventLoop::Clock::now(), [&] { loop.stop(); });
              loop.at(EventLoop::Clock::now(), [&] { late = true; });
              loop.run();
              return !late;
            }),
            "");
}

TEST(EventLoop, RepeatsUntilItIsStopped) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              int left = 5;
              loop.repeat(nanoseconds(0), [&] {
                if (--left == 0) loop.stop();
                return nanoseconds(1);
              });
              loop.every(hours(1), [&] { left = 100; });
              loop.run();
              return left == 0;
            }),
            "");
}

TEST(EventLoop, DoesNotMakeUpForMissedPeriods) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              int calls = 0;
              loop.every(nanoseconds(20'000'000), [&] {
                ++calls;
                ::usleep(100'000);  // four periods
              });
              loop.at(EventLoop::after(nanoseconds(90'000'000)), [&] { loop.stop(); });
              loop.run();
              return calls == 1;
            }),
            "");
}

TEST(EventLoop, HandsOnSignals) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              std::vector<int> seen;
              loop.on_signal([&](const Signals::Event& event) {
                if (event.sent) seen.push_back(event.number);
                if (seen.size() == 2) loop.stop();
              });
              ::kill(::getpid(), SIGHUP);
              ::kill(::getpid(), SIGTERM);
              loop.run();
              return seen == std::vector<int>{SIGHUP, SIGTERM} && loop.signal() == SIGTERM;
            }),
            "");
}

TEST(EventLoop, StopsAtASignalThatHasNoHandler) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              EventLoop loop(signals);
              ::kill(::getpid(), SIGINT);
              loop.run();
              return loop.signal() == SIGINT;
            }),
            "");
}

TEST(EventLoop, TellsWhatCanBeRead) {
  EXPECT_EQ(in_child([] {
              Signals signals;
              Wakeup wakeup;
              EventLoop loop(signals);
              loop.on_ready(wakeup.wait_fd(), [&](short) {
                if (wakeup.wait()) loop.stop();
              });
              loop.repeat(nanoseconds(0), [&] {
                wakeup.send();
                return nanoseconds(hours(1));
              });
              loop.run();
              return true;
            }),
            "");
}

TEST(EventLoop, ADurationBeyondTheClockIsNever) {
  EXPECT_EQ(EventLoop::after(nanoseconds::max()), EventLoop::Clock::time_point::max());
}

}  // namespace
}  // namespace zctrace
