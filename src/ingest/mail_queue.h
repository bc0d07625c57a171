#pragma once
#include "base/result.h"
#include "net/smtp_mail.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace watchpost::ingest {

// Received mail on its way from the sessions that took it in to the threads that read it, and its
// answers on their way back. Sessions never wait here: what finds no room is put off.
//   Use:     put() from sessions, take() and settling() from readers, sweep() now and then.
//   Rules:   a mail is accepted when what came of it is on disk. Where that takes longer than a
//            client should wait, it is put off: what it brought may still be stored, and counts
//            once when it comes again. From then on mail is put off at once, until the store takes
//            something.
//   Threads: any. Answers are called from whichever thread settles.
class MailQueue {
 public:
  using Ticks = std::chrono::steady_clock;
  using Answer = std::function<void(net::MailOutcome)>;
  static constexpr size_t kMostWaiting = 4096;

  // `patience`: how long the client of a mail waits for its answer.
  explicit MailQueue(Ticks::duration patience) : state_(std::make_shared<State>(patience)) {}
  ~MailQueue() { close(); }
  MailQueue(const MailQueue&) = delete;
  MailQueue& operator=(const MailQueue&) = delete;

  void put(net::ReceivedMail mail, Answer answer);

  struct Taken {
    net::ReceivedMail mail;
    Answer answer;
    std::optional<std::string> reporter = std::nullopt;  // who is proved to have sent it
    bool checked = false;                                // for that
  };
  // Waits for one; nothing when it is closed.
  std::optional<Taken> take();
  // Puts a mail in again that was taken to be checked. May be called after the queue has gone.
  std::function<void(Taken)> returning();
  // For Arrival::settled: gives the answer once, with what becomes of the arrival. May be called
  // after the queue has gone.
  std::function<void(const Result<Done>&)> settling(Answer answer);
  // Puts off those who have waited too long.
  void sweep();
  // Nothing more is taken in or out.
  void close();

 private:
  struct Waiting {
    Answer answer;
    Ticks::time_point until;
  };
  struct State {
    explicit State(Ticks::duration given) : patience(given) {}
    const Ticks::duration patience;
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<Taken> mails;
    std::deque<std::shared_ptr<Waiting>> waiting;  // in the order of their ends
    bool stuck = false;                            // the store has taken nothing for too long
    bool closed = false;
  };
  static void settle(State& state, Waiting& one, const Result<Done>& done);

  std::shared_ptr<State> state_;
};

}  // namespace watchpost::ingest
