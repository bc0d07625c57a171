#pragma once
#include "feedback/classifier.h"
#include "model/event.h"
#include "simulate/platform.h"

#include <string>
#include <vector>

namespace watchpost::simulate {

// What happens, as Watchpost's own events: with what the reader of a mail log would find, and with
// customer, campaign and source address besides.
//   Use:     the platform, the classifier and this must be there as long as the events: some of
//            their texts stand here.
//   Threads: none inside.
class EventWriter {
 public:
  EventWriter(const Platform& platform, const feedback::Classifier& classifier);

  // Adds one event; two for what was accepted, since the login comes before.
  void write(const Occurrence& occurrence, EventBatch& into);

 private:
  struct Known {       // of a reply, wherever it is said
    std::string text;  // empty: has something of the recipient in it
    std::string status;
    feedback::ReplyVerdict verdict;
  };
  Event& add(const Occurrence& occurrence, EventKind kind, EventBatch& into);
  void add_letter(const Occurrence& occurrence, Event& event, EventBatch& into);
  void add_recipient(const Occurrence& occurrence, Event& event, EventBatch& into);
  void add_reply(const Occurrence& occurrence, Event& event, EventBatch& into);
  template <class Append>
  std::string_view kept(EventBatch& into, Append append);

  const Platform& platform_;
  std::vector<Known> known_;
  std::string scratch_;
  uint64_t serial_ = 0;
};

}  // namespace watchpost::simulate
