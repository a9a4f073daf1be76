// SPDX-License-Identifier: MIT
// One queue and one thread.
#include "collector/fuse/requesters/background_reader.h"

#include <utility>

namespace zctrace::fuse {

BackgroundReader::BackgroundReader() : thread_([this] { work(); }) {}

BackgroundReader::~BackgroundReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  thread_.join();
}

// The caller holds the lock.
std::shared_ptr<BackgroundReader::Job> BackgroundReader::add(Work work) {
  const auto job = std::make_shared<Job>();
  job->work = std::move(work);
  jobs_.push_back(job);
  wanted_.notify_one();
  return job;
}

void BackgroundReader::post(Work work) {
  const std::lock_guard lock(mutex_);
  add(std::move(work));
}

bool BackgroundReader::run(Work work, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (given_up_ != 0) return false;
  const std::shared_ptr<Job> job = add(std::move(work));
  if (done_.wait_for(lock, patience, [&job] { return job->done; })) return true;
  job->given_up = true;
  ++given_up_;
  return false;
}

void BackgroundReader::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job->work();
    } catch (...) {
      // Out of memory: the result stays unknown, as for a task that is gone.
    }
    lock.lock();
    job->done = true;
    given_up_ -= job->given_up;
    done_.notify_all();
  }
}

}  // namespace zctrace::fuse
