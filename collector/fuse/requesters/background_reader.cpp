// SPDX-License-Identifier: MIT
// One queue and one thread.
#include "collector/fuse/requesters/background_reader.h"

#include <utility>

namespace zctrace::fuse {

BackgroundReader::BackgroundReader(AtTheEnd at_the_end)
    : at_the_end_(at_the_end),
      queue_(std::make_shared<Queue>()),
      thread_([queue = queue_] { work(*queue); }) {}

BackgroundReader::~BackgroundReader() {
  bool leaves;
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->stopping = true;
    queue_->jobs.clear();
    leaves = queue_->running && at_the_end_ == AtTheEnd::leave;
  }
  queue_->wanted.notify_all();
  if (leaves)
    thread_.detach();
  else
    thread_.join();
}

// The caller holds the lock.
std::shared_ptr<BackgroundReader::Job> BackgroundReader::add(Work work) {
  const auto job = std::make_shared<Job>();
  job->work = std::move(work);
  queue_->jobs.push_back(job);
  queue_->wanted.notify_one();
  return job;
}

void BackgroundReader::post(Work work) {
  const std::lock_guard lock(queue_->mutex);
  add(std::move(work));
}

bool BackgroundReader::run(Work work, std::chrono::milliseconds patience) {
  std::unique_lock lock(queue_->mutex);
  if (queue_->given_up != 0) return false;
  const std::shared_ptr<Job> job = add(std::move(work));
  if (queue_->done.wait_for(lock, patience, [&job] { return job->done; })) return true;
  job->given_up = true;
  ++queue_->given_up;
  return false;
}

void BackgroundReader::work(Queue& queue) noexcept {
  std::unique_lock lock(queue.mutex);
  for (;;) {
    queue.wanted.wait(lock, [&queue] { return queue.stopping || !queue.jobs.empty(); });
    if (queue.stopping) return;
    const std::shared_ptr<Job> job = std::move(queue.jobs.front());
    queue.jobs.pop_front();
    queue.running = true;
    lock.unlock();
    try {
      job->work();
    } catch (...) {
      // Out of memory: the result stays unknown, as for a task that is gone.
    }
    lock.lock();
    queue.running = false;
    job->done = true;
    queue.given_up -= job->given_up;
    queue.done.notify_all();
  }
}

}  // namespace zctrace::fuse
