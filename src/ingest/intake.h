#pragma once
#include "base/result.h"
#include "feedback/formats/kumomta_log.h"
#include "ingest/source.h"
#include "suppress/list.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

// What became of a pushed body of events.
struct IntakeReceipt {
  uint64_t accepted = 0;  // on disk now
  struct Refused {
    uint64_t line = 0;  // counted from 1
    std::string why;
  };
  std::vector<Refused> refused;  // the first 100
  uint64_t refused_total = 0;
};

// Events pushed to us: bodies of NDJSON in Watchpost's own format (POST /v1/events), or KumoMTA log
// records (POST /v1/kumomta).
//   Threads: any.
class Intake {
 public:
  // `sink`, `context` and `suppressed`, which may be null, must outlive it.
  Intake(EventSink& sink, const SourceContext& context, const suppress::List* suppressed = nullptr);
  // Reads the body and hands its events to the pipeline; `answer` is called once, from any thread,
  // when they are on disk: only then may the sender be told so. Lines that cannot be used are
  // refused one by one and do not hold up the others. Blocks while the pipeline is full: not for Io
  // threads.
  void take(std::string_view sender, std::string_view body,
            std::function<void(Result<IntakeReceipt>)> answer);
  // The same with KumoMTA log records: one, an array of them, or one a line. Their events are known
  // by the sender and the record alone, as kumod sends a record again in whatever company.
  void take_kumomta(std::string_view sender, const feedback::KumomtaNames& names,
                    std::string_view body, std::function<void(Result<IntakeReceipt>)> answer);
  // What became of a one-click request, once it is on disk.
  struct OneClick {
    bool suppressed = false;  // the recipient is on the list: mail to them is suppressed
  };
  // A one-click request to unsubscribe (RFC 8058) with the token of its URL. The same request again
  // puts somebody back on the list who was taken off it since.
  //   Fails: refused where the token is not good, with the cause; bad_input where it is and does
  //          not hold the recipient.
  void take_one_click(std::string_view token, std::function<void(Result<OneClick>)> answer);
  SourceStatus status() const;

 private:
  // What was read of a body.
  struct Reading {
    Arrival arrival;
    IntakeReceipt receipt;
    feedback::Unread unread;
    uint64_t lines = 0;

    void refuse(uint64_t line, const Error& error);
  };
  void note(const Reading& reading);
  void deliver(Reading reading, std::function<void(Result<IntakeReceipt>)> answer);

  EventSink& sink_;
  SourceContext context_;
  const suppress::List* suppressed_;
  mutable std::mutex mutex_;
  SourceStatus status_;
};

}  // namespace watchpost::ingest
