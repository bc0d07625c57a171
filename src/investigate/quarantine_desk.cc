#include "investigate/quarantine_desk.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "ingest/pipeline.h"
#include "investigate/accept_like.h"
#include "investigate/corrections.h"
#include "investigate/held_copies.h"
#include "investigate/readers.h"
#include "quarantine/links.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

using quarantine::HeldId;
using quarantine::HeldMessage;
using quarantine::HeldSearch;
using quarantine::PacedStep;

constexpr size_t kLongestWhy = 1000;
constexpr std::string_view kRecipient = "its recipient";

std::string with_why(std::string_view what, std::string_view why) {
  return why.empty() ? std::string(what) : fmt::format("{}: {}", what, why);
}

// Addresses leave no trace in the log; whoever knows one can still tell that it was meant.
std::string trace_of(std::string_view address) {
  return "sha256 " + hex(crypto::sha256(lower_ascii(address))).substr(0, 16);
}

class LiveQuarantineDesk final : public QuarantineDesk {
 public:
  explicit LiveQuarantineDesk(QuarantineDeskParts parts)
      : parts_(std::move(parts)), readers_(parts_.store) {}

  Result<quarantine::HeldPage> list(const HeldSearch& search) override {
    return parts_.quarantine.list(search);
  }
  Result<HeldMessage> find(const HeldId& id) override { return parts_.quarantine.find(id); }
  Result<quarantine::Usage> usage() override { return parts_.quarantine.usage(); }
  Result<SafeView> view(const HeldId& id, std::string_view who) override;
  Result<std::string> bytes(const HeldId& id, std::string_view who) override;
  Result<ReleaseReceipt> release(const HeldId& id, const ReleaseWish& wish,
                                 std::string_view who) override;
  Result<size_t> release_found(const HeldSearch& search, bool paced, std::string_view who,
                               std::string_view why) override;
  Result<size_t> hold_again(const HeldSearch& search, std::string_view who,
                            std::string_view why) override;
  Result<size_t> discard(const HeldId& id, std::span<const std::string> recipients,
                         std::string_view who, std::string_view why) override;
  Result<size_t> discard_found(const HeldSearch& search, std::string_view who,
                               std::string_view why) override;
  Result<Done> extend(const HeldId& id, Time until, std::string_view who,
                      std::string_view why) override;
  Result<size_t> erase_person(std::string_view address, std::string_view who,
                              std::string_view why) override;
  Result<size_t> settle(const HeldId& id, bool arrived, std::string_view who,
                        std::string_view why) override;
  Result<size_t> rekey(std::string_view who) override;
  Result<std::vector<quarantine::Exception>> exceptions() override {
    return parts_.quarantine.exceptions();
  }
  Result<Done> end_exception(std::string_view name, std::string_view who,
                             std::string_view why) override;
  Result<LinkState> look_at(std::string_view token) override;
  Result<LinkState> ask(std::string_view token) override;

 private:
  struct Linked {
    HeldMessage message;
    std::string recipient;
    quarantine::Copy copy;
  };
  // One row of the audit log, committed.
  Result<Done> note(std::string_view who, std::string_view what, std::string about,
                    std::string detail);
  // Notes it, then does it; what fails is noted as well.
  template <class Act>
  auto noted(std::string_view who, std::string_view what, const std::string& about,
             std::string detail, const Act& act) -> decltype(act());
  Result<quarantine::HeldContent> read(const HeldId& id, std::string_view who,
                                       std::string_view what);
  IncidentId incident_of(DecisionId decision);
  // As note(); where the incident takes no note any more the audit log alone has it.
  Result<IncidentId> note_release(const HeldMessage& message, const ReleaseWish& wish,
                                  std::string_view who, std::string detail,
                                  std::vector<store::Fact> facts);
  // What the store is told where this release corrects it; else nothing.
  Result<std::vector<store::Fact>> correction(const HeldId& id, const ReleaseWish& wish,
                                              std::string_view who);
  size_t correct(const HeldMessage& message);
  Result<Linked> linked(std::string_view token);
  Result<LinkState> release_by_rule(const Linked& link);

  const QuarantineDeskParts parts_;
  Readers readers_;
};

Result<Done> LiveQuarantineDesk::note(std::string_view who, std::string_view what,
                                      std::string about, std::string detail) {
  if (who.empty()) return fail(Code::bad_input, "it is not said who does this");
  if (detail.size() > kLongestWhy + 200) return fail(Code::bad_input, "this is too long", "why");
  return parts_.pipeline.ask(
      [&](decide::Decider&, detect::Watch&, Time now) -> Result<decide::Outcome> {
        decide::Outcome outcome;
        outcome.audit.push_back({now, std::string(who), std::string(what), about, detail});
        return outcome;
      });
}

template <class Act>
auto LiveQuarantineDesk::noted(std::string_view who, std::string_view what,
                               const std::string& about, std::string detail, const Act& act)
    -> decltype(act()) {
  if (const auto done = note(who, what, about, std::move(detail)); !done) {
    return fail(done.error());
  }
  auto result = act();
  if (!result) {
    // Best effort: the row before says that it was tried.
    (void)note(who, "could not be done", about, fmt::format("{}: {}", what, result.error().what));
  }
  return result;
}

// --- reading -------------------------------------------------------------------------------------

Result<quarantine::HeldContent> LiveQuarantineDesk::read(const HeldId& id, std::string_view who,
                                                         std::string_view what) {
  if (const auto found = parts_.quarantine.find(id); !found) return fail(found.error());
  return noted(who, what, to_hex(id), "", [&] { return parts_.quarantine.read(id); });
}

Result<SafeView> LiveQuarantineDesk::view(const HeldId& id, std::string_view who) {
  const auto content = read(id, who, "held mail read");
  if (!content) return fail(content.error());
  return safe_view(*content);
}

Result<std::string> LiveQuarantineDesk::bytes(const HeldId& id, std::string_view who) {
  auto content = read(id, who, "held mail exported");
  if (!content) return fail(content.error());
  return std::move(content->message);
}

// --- release -------------------------------------------------------------------------------------

IncidentId LiveQuarantineDesk::incident_of(DecisionId decision) {
  if (!decision) return {};
  const auto reader = readers_.take();
  if (!reader) return {};
  const auto all = (*reader)->decisions();
  if (!all) return {};
  const auto found = std::ranges::find(*all, decision, &Decision::id);
  return found == all->end() ? IncidentId{} : found->incident;
}

// Of several copies that are released one after the other the mail is corrected once. Those go
// whose verdicts are gone.
Result<std::vector<store::Fact>> LiveQuarantineDesk::correction(const HeldId& id,
                                                                const ReleaseWish& wish,
                                                                std::string_view who) {
  if (!wish.wrong) return std::vector<store::Fact>{};
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  const auto before = correction_of(**reader, id);
  if (!before) return fail(before.error());
  if (*before) return std::vector<store::Fact>{};
  const Time now = parts_.clock.now();
  auto facts = outlived_corrections(**reader, now - parts_.store.keep);
  if (facts) facts->push_back(fact_of(id, {now, std::string(who), wish.why}));
  return facts;
}

Result<IncidentId> LiveQuarantineDesk::note_release(const HeldMessage& message,
                                                    const ReleaseWish& wish, std::string_view who,
                                                    std::string detail,
                                                    std::vector<store::Fact> facts) {
  IncidentId told = wish.wrong ? incident_of(message.decision) : IncidentId{};
  const std::string about = to_hex(message.id);
  const std::string words =
      with_why(fmt::format("held mail {} was released as wrong", about), wish.why);
  const auto done = parts_.pipeline.ask(
      [&](decide::Decider& decider, detect::Watch&, Time now) -> Result<decide::Outcome> {
        decide::Outcome outcome;
        if (told) {
          auto noted = decider.note(told, who, words, now);
          if (!noted) told = {};
          if (noted) outcome = std::move(*noted);
        }
        outcome.audit.push_back({now, std::string(who), "held mail released", about, detail});
        return outcome;
      },
      std::move(facts));
  if (!done) return fail(done.error());
  return told;
}

size_t LiveQuarantineDesk::correct(const HeldMessage& message) {
  size_t corrected = 0;
  if (parts_.reputation == nullptr) return corrected;
  for (const quarantine::Counted& one : message.counted) {
    const auto party = relate::party_from(one.party);
    const auto deed = relate::deed_from(one.deed);
    if (!party || !deed || *deed == relate::Deed::good) continue;
    if (parts_.reputation->correct(*party, one.name, *deed, relate::Deed::good, message.at)) {
      ++corrected;
    }
  }
  return corrected;
}

Result<ReleaseReceipt> LiveQuarantineDesk::release(const HeldId& id, const ReleaseWish& wish,
                                                   std::string_view who) {
  if (who.empty()) return fail(Code::bad_input, "it is not said who does this");
  if (wish.why.size() > kLongestWhy) return fail(Code::bad_input, "this is too long", "why");
  const auto message = parts_.quarantine.find(id);
  if (!message) return fail(message.error());
  if (const auto fine = check_recipients(*message, wish.recipients); !fine) {
    return fail(fine.error());
  }
  const Time now = parts_.clock.now();
  const std::vector<std::string> meant = meant_by(*message, wish.recipients);
  ReleaseReceipt receipt;
  std::string detail = copies_meant(*message, meant);
  if (wish.accept_like) {
    auto like =
        exception_like(*message, wish.recipients, now + parts_.settings.exception, who, wish.why);
    if (!like) return fail(like.error());
    receipt.exception = std::move(*like);
    detail += fmt::format(", and the like from now on (exception {})", receipt.exception->name);
  }
  if (wish.wrong) detail += ", and to hold it was wrong";
  const auto correction = this->correction(id, wish, who);
  if (!correction) return fail(correction.error());
  const auto told = note_release(*message, wish, who, with_why(detail, wish.why), *correction);
  if (!told) return fail(told.error());
  receipt.incident = *told;
  // Whether or not it can be released now: what was said of it holds.
  if (!correction->empty()) receipt.corrected = correct(*message);
  const auto released = parts_.quarantine.release(id, meant, {.by = std::string(who), .at = now});
  if (!released) {
    (void)note(who, "could not be done", to_hex(id), "release: " + released.error().what);
    return fail(released.error());
  }
  receipt.copies = *released;
  if (parts_.wake) parts_.wake();
  if (receipt.exception) {
    const auto kept = parts_.quarantine.except(*receipt.exception);
    if (!kept)
      return fail(kept.error().code, "released, but without the rule: " + kept.error().what);
    if (parts_.exceptions_changed) parts_.exceptions_changed();
  }
  return receipt;
}

Result<size_t> LiveQuarantineDesk::release_found(const HeldSearch& search, bool paced,
                                                 std::string_view who, std::string_view why) {
  if (!asks_for_something(search)) return fail(Code::bad_input, "it is not said which mail");
  const std::vector<PacedStep> steps = paced ? steps_of(parts_.paces) : std::vector{PacedStep{}};
  const auto released = noted(
      who, paced ? "found held mail released step by step" : "found held mail released",
      search.decision ? text_of(search.decision) : "", std::string(why), [&] {
        return parts_.quarantine.release_found(
            search, steps, {.by = std::string(who), .at = parts_.clock.now(), .paced = paced});
      });
  if (released && parts_.wake) parts_.wake();
  return released;
}

Result<size_t> LiveQuarantineDesk::hold_again(const HeldSearch& search, std::string_view who,
                                              std::string_view why) {
  if (!asks_for_something(search)) return fail(Code::bad_input, "it is not said which mail");
  return noted(who, "found held mail held again", search.decision ? text_of(search.decision) : "",
               std::string(why), [&] { return parts_.quarantine.hold_again(search, who, why); });
}

// --- ends ----------------------------------------------------------------------------------------

Result<size_t> LiveQuarantineDesk::discard(const HeldId& id,
                                           std::span<const std::string> recipients,
                                           std::string_view who, std::string_view why) {
  const auto message = parts_.quarantine.find(id);
  if (!message) return fail(message.error());
  if (const auto fine = check_recipients(*message, recipients); !fine) return fail(fine.error());
  const std::vector<std::string> meant = meant_by(*message, recipients);
  return noted(who, "held mail discarded", to_hex(id), with_why(copies_meant(*message, meant), why),
               [&] { return parts_.quarantine.discard(id, meant, who); });
}

Result<size_t> LiveQuarantineDesk::discard_found(const HeldSearch& search, std::string_view who,
                                                 std::string_view why) {
  if (!asks_for_something(search)) return fail(Code::bad_input, "it is not said which mail");
  return noted(who, "found held mail discarded", search.decision ? text_of(search.decision) : "",
               std::string(why), [&] { return parts_.quarantine.discard_found(search, who); });
}

Result<Done> LiveQuarantineDesk::extend(const HeldId& id, Time until, std::string_view who,
                                        std::string_view why) {
  if (const auto found = parts_.quarantine.find(id); !found) return fail(found.error());
  if (until <= parts_.clock.now()) return fail(Code::bad_input, "this time is past", "until");
  return noted(who, "held mail kept longer", to_hex(id),
               with_why("until " + format_time(until), why),
               [&] { return parts_.quarantine.extend(id, until); });
}

Result<size_t> LiveQuarantineDesk::erase_person(std::string_view address, std::string_view who,
                                                std::string_view why) {
  if (trim(address).empty()) return fail(Code::bad_input, "it is not said who", "address");
  return noted(who, "a person's held mail erased", trace_of(address), std::string(why),
               [&] { return parts_.quarantine.erase_person(address, who); });
}

Result<size_t> LiveQuarantineDesk::settle(const HeldId& id, bool arrived, std::string_view who,
                                          std::string_view why) {
  if (const auto found = parts_.quarantine.find(id); !found) return fail(found.error());
  if (!parts_.settle) return fail(Code::refused, "nothing is released here: no `release_to`");
  return noted(who, "held mail in doubt settled", to_hex(id),
               with_why(arrived ? "it arrived" : "it goes out again", why),
               [&] { return parts_.settle(id, arrived, who); });
}

Result<size_t> LiveQuarantineDesk::rekey(std::string_view who) {
  return noted(who, "held mail written with the newest key", "", "",
               [&] { return parts_.quarantine.rekey(); });
}

Result<Done> LiveQuarantineDesk::end_exception(std::string_view name, std::string_view who,
                                               std::string_view why) {
  const auto all = parts_.quarantine.exceptions();
  if (!all) return fail(all.error());
  if (std::ranges::find(*all, name, &quarantine::Exception::name) == all->end()) {
    return fail(Code::not_found, "there is no such exception", escaped(name, 60));
  }
  const auto ended = noted(who, "exception ended", std::string(name), std::string(why),
                           [&] { return parts_.quarantine.end_exception(name); });
  if (ended && parts_.exceptions_changed) parts_.exceptions_changed();
  return ended;
}

// --- recipients ----------------------------------------------------------------------------------

Result<LiveQuarantineDesk::Linked> LiveQuarantineDesk::linked(std::string_view token) {
  const auto link =
      quarantine::read_link_token(parts_.quarantine.link_secret(), token, parts_.clock.now());
  if (!link) return fail(link.error());
  auto message = parts_.quarantine.find(link->id);
  if (!message) return fail(message.error());
  auto recipient = quarantine::recipient_of(*link, *message);
  const quarantine::Copy* const copy = recipient ? copy_of(*message, *recipient) : nullptr;
  if (copy == nullptr) return fail(Code::not_found, "no copy of it is held for this recipient");
  quarantine::Copy own = *copy;
  return Linked{std::move(*message), std::move(*recipient), std::move(own)};
}

Result<LinkState> LiveQuarantineDesk::look_at(std::string_view token) {
  const auto link = linked(token);
  if (!link) return fail(link.error());
  return link_state_of(link->message, link->copy);
}

// Once for each link: whoever clicks again, or whoever else has the mail, changes nothing.
Result<LinkState> LiveQuarantineDesk::ask(std::string_view token) {
  const auto link = linked(token);
  if (!link) return fail(link.error());
  const LinkState state = link_state_of(link->message, link->copy);
  const bool by_rule = std::ranges::find(parts_.settings.self_release, link->message.rule) !=
                       parts_.settings.self_release.end();
  // A crash between asking and releasing must not use up the link; but what people said since
  // stands.
  if (state == LinkState::asked && by_rule && link->copy.by.empty()) return release_by_rule(*link);
  if (state != LinkState::can_ask) return fail(Code::refused, "this link was used, or came late");
  const HeldId& id = link->message.id;
  const auto first = noted(kRecipient, "release asked for", to_hex(id), "",
                           [&] { return parts_.quarantine.request(id, link->recipient); });
  if (!first) return fail(first.error());
  if (!*first && !by_rule) return fail(Code::refused, "this link was used");
  return by_rule ? release_by_rule(*link) : Result<LinkState>(LinkState::asked);
}

Result<LinkState> LiveQuarantineDesk::release_by_rule(const Linked& link) {
  const std::vector<std::string> recipients{link.recipient};
  const HeldId& id = link.message.id;
  const auto released =
      noted(kRecipient, "held mail released", to_hex(id),
            fmt::format("{}: self_release has `{}`", copies_meant(link.message, recipients),
                        escaped(link.message.rule, 100)),
            [&] {
              return parts_.quarantine.release(
                  id, recipients, {.by = std::string(kRecipient), .at = parts_.clock.now()});
            });
  if (!released) return fail(released.error());
  if (parts_.wake) parts_.wake();
  return LinkState::coming;
}

}  // namespace

std::unique_ptr<QuarantineDesk> make_quarantine_desk(QuarantineDeskParts parts) {
  return std::make_unique<LiveQuarantineDesk>(std::move(parts));
}

}  // namespace watchpost::investigate
