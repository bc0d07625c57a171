#pragma once
#include "feedback/attribution/attribution.h"
#include "feedback/mapping.h"
#include "feedback/reports/feedback_mail.h"
#include "model/event.h"

#include <string>
#include <string_view>

namespace watchpost::feedback {

// What a feedback mail came to.
struct FeedbackEvents {
  EventBatch events;
  // A word for what brought no event: "auto_reply", "delivery", "no_mail", "no_recipient", "other",
  // ...; empty where there is an event.
  std::string_view nothing;
};

// What events have that attribution cannot tell.
struct FeedbackFrame {
  std::string_view source;    // name in the configuration
  std::string_view reporter;  // domain of who sent it
  std::string_view bytes;     // of the mail: what gives an id to that which proves nothing
  Time at;                    // when it came
};

// Turns feedback into events: late bounces, delays, complaints and what takes them back,
// unsubscribe requests. What a report says of mail that arrived, answers of programs, and reports
// of abuse that is no mail give none.
//   Rules:   one token and kind is one event, whoever reports it and however often; by a customer's
//            own token, or a reporter's signature, so is one mail to one recipient and kind. A
//            signed report that hides the recipient is known by its body, all else by the mail's
//            own bytes. Of two reports of which the first leaves open whom or what it is about, the
//            second is kToldInPart. `delay` is the time since the mail was sent, so that the event
//            falls into its cohort. A complaint is taken back only where it counted, and not by a
//            customer's own token; where what takes it back came first, it does not count when it
//            comes.
//   Threads: none inside.
FeedbackEvents events_of(const FeedbackMail& mail, const Attribution& attribution,
                         const FeedbackFrame& frame, const Mapping& mapping, SentMail* sent);

}  // namespace watchpost::feedback
