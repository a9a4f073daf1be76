// SPDX-License-Identifier: MIT
// One queue, one thread.
#include "collector/fuse/requesters/background_reader.h"

#include <utility>

namespace zctrace::fuse {

Aside::Aside() : thread_([this] { work(); }) {}

Aside::~Aside() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  thread_.join();
}

// With the lock held.
std::shared_ptr<Aside::Piece> Aside::add(Work work) {
  const auto piece = std::make_shared<Piece>();
  piece->work = std::move(work);
  pieces_.push_back(piece);
  wanted_.notify_one();
  return piece;
}

void Aside::post(Work work) {
  const std::lock_guard lock(mutex_);
  add(std::move(work));
}

bool Aside::run(Work work, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (given_up_ != 0) return false;
  const std::shared_ptr<Piece> piece = add(std::move(work));
  if (done_.wait_for(lock, patience, [&piece] { return piece->done; })) return true;
  piece->given_up = true;
  ++given_up_;
  return false;
}

void Aside::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || !pieces_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Piece> piece = std::move(pieces_.front());
    pieces_.pop_front();
    lock.unlock();
    try {
      piece->work();
    } catch (...) {
      // No memory: nothing is known, as of a task that is gone.
    }
    lock.lock();
    piece->done = true;
    given_up_ -= piece->given_up;
    done_.notify_all();
  }
}

}  // namespace zctrace::fuse
