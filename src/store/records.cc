#include "store/records.h"

#include "store/encoding.h"

#include <array>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace watchpost::store {
namespace {

// Bodies that begin with a zero say which schema they are of. Those of schema 1 begin with a number
// that counts up from 1, with a time, or with a text that is not empty.
constexpr uint64_t kNewer = 0;
constexpr uint64_t kSchema = 2;

// All enumerators of one kind, for finding one by its name.
constexpr std::array kVerdicts{
    Verdict::none,    Verdict::compromised,    Verdict::bad_list,         Verdict::abusive_customer,
    Verdict::content, Verdict::receiver_fault, Verdict::monitoring_fault, Verdict::false_positive};
constexpr std::array kIncidentStates{IncidentState::open, IncidentState::closed};
constexpr std::array kDecisionStates{DecisionState::proposed, DecisionState::active,
                                     DecisionState::expired, DecisionState::revoked};
constexpr std::array kModes{Mode::off, Mode::shadow, Mode::notify, Mode::enforce};
constexpr std::array kMeasureKinds{MeasureKind::notify, MeasureKind::throttle, MeasureKind::hold,
                                   MeasureKind::suspend, MeasureKind::block};
constexpr std::array kWanted{Enforcement::Wanted::applied, Enforcement::Wanted::undone};
constexpr std::array kActual{Enforcement::Actual::pending, Enforcement::Actual::applied,
                             Enforcement::Actual::undone, Enforcement::Actual::failed,
                             Enforcement::Actual::unsupported};
constexpr std::array kReasons{SuppressionReason::hard_bounce, SuppressionReason::complaint,
                              SuppressionReason::unsubscribe, SuppressionReason::by_hand,
                              SuppressionReason::imported};
constexpr std::array kNoticeStates{Notice::State::pending, Notice::State::sent,
                                   Notice::State::failed};

// Writes the values it is shown.
class Writing {
 public:
  void operator()(uint64_t value) { out_.number(value); }
  void operator()(uint32_t value) { out_.number(value); }
  void operator()(bool value) { out_.number(value ? 1 : 0); }
  void operator()(double value) { out_.real(value); }
  void operator()(const std::string& value) { out_.text(value); }
  void operator()(Time value) { out_.time(value); }
  void operator()(Duration value) { out_.span(value); }
  void operator()(Field value) { out_.text(name_of(value)); }
  void operator()(DecisionId value) { out_.number(value.number); }
  void operator()(IncidentId value) { out_.number(value.number); }
  void operator()(const std::optional<Time>& value) {
    out_.number(value ? 1 : 0);
    if (value) out_.time(*value);
  }
  template <class Enum, size_t n>
  void one_of(const std::array<Enum, n>& /*all*/, Enum value) {
    out_.text(name_of(value));
  }
  template <class Element, class Each>
  void list(const std::vector<Element>& values, Each each) {
    out_.number(values.size());
    for (const Element& value : values) each(*this, value);
  }
  void begin() {
    out_.number(kNewer);
    out_.number(kSchema);
  }
  bool since_2() const { return true; }
  std::string take() { return out_.take(); }

 private:
  Encoder out_;
};

// Fills the values it is shown.
class Reading {
 public:
  explicit Reading(std::string_view body) : in_(body) {}
  void operator()(uint64_t& value) { value = in_.number(); }
  void operator()(uint32_t& value) {
    const uint64_t number = in_.number();
    if (number > UINT32_MAX) in_.reject();
    value = static_cast<uint32_t>(number);
  }
  void operator()(bool& value) {
    const uint64_t number = in_.number();
    if (number > 1) in_.reject();
    value = number == 1;
  }
  void operator()(double& value) { value = in_.real(); }
  void operator()(std::string& value) { value = in_.text(); }
  void operator()(Time& value) { value = in_.time(); }
  void operator()(Duration& value) { value = in_.span(); }
  void operator()(Field& value) {
    const auto field = field_from(in_.text());
    if (!field) in_.reject();
    value = field.value_or(Field::source);
  }
  void operator()(DecisionId& value) { value.number = in_.number(); }
  void operator()(IncidentId& value) { value.number = in_.number(); }
  void operator()(std::optional<Time>& value) {
    const uint64_t there = in_.number();
    if (there > 1) in_.reject();
    value = there == 1 ? std::optional(in_.time()) : std::nullopt;
  }
  template <class Enum, size_t n>
  void one_of(const std::array<Enum, n>& all, Enum& value) {
    const std::string name = in_.text();
    for (const Enum candidate : all) {
      if (name_of(candidate) == name) {
        value = candidate;
        return;
      }
    }
    in_.reject();
  }
  template <class Element, class Each>
  void list(std::vector<Element>& values, Each each) {
    const size_t count = in_.count();
    for (size_t i = 0; i < count && !in_.broken(); ++i) each(*this, values.emplace_back());
  }
  void begin() {
    since_2_ = in_.begins_with(kNewer);
    if (!since_2_) return;
    (void)in_.number();
    if (in_.number() != kSchema) in_.reject();
  }
  // False: schema 1 wrote it, without what came later.
  bool since_2() const { return since_2_; }
  Result<Done> finish(std::string_view about) const { return in_.finish(about); }

 private:
  Decoder in_;
  bool since_2_ = false;
};

// One list of members for each value serves writing and reading, so that the two cannot differ.
// `Value` is const when writing.

constexpr auto kText = [](auto& pass, auto& text) { pass(text); };

constexpr auto kStream = [](auto& pass, auto& stream) {
  pass.list(stream.parts, [](auto& inner, auto& part) {
    inner(part.dimension);
    inner(part.value);
  });
};

constexpr auto kMeasure = [](auto& pass, auto& measure) {
  pass.one_of(kMeasureKinds, measure.kind);
  pass(measure.span);
  pass(measure.allowed);
  pass(measure.per);
  pass(measure.target);
};

constexpr auto kSignal = [](auto& pass, auto& signal) {
  pass(signal.at);
  pass(signal.detector);
  pass(signal.detector_version);
  pass.one_of(kModes, signal.mode);
  kStream(pass, signal.stream);
  pass(signal.since);
  pass(signal.value);
  pass(signal.threshold);
  pass(signal.messages);
  pass(signal.because);
  pass.list(signal.counts, [](auto& inner, auto& count) {
    inner(count.first);
    inner(count.second);
  });
  pass.list(signal.then, kMeasure);
};

// What came with schema 2 stands behind all that was there before. In a body of schema 1 it is
// missing, and the values stay as they are made.
constexpr auto kMeasureSince2 = [](auto& pass, auto& measure) { pass(measure.share); };

// Of a list that was read already: one more for each of its elements.
constexpr auto kEach = [](auto& pass, auto& values, auto each) {
  for (auto& value : values) each(pass, value);
};

constexpr auto kSignalSince2 = [](auto& pass, auto& signal) {
  kEach(pass, signal.then, kMeasureSince2);
  pass(signal.escalate);
  pass.one_of(kVerdicts, signal.suggests);
  pass.list(signal.shares, [](auto& inner, auto& share) {
    inner(share.dimension);
    inner(share.value);
    inner(share.count);
    inner(share.of);
  });
};

constexpr auto kIncident = [](auto& pass, auto& incident) {
  pass.begin();
  pass(incident.id);
  pass.one_of(kIncidentStates, incident.state);
  kStream(pass, incident.subject);
  pass(incident.title);
  pass(incident.opened_at);
  pass(incident.updated_at);
  pass.one_of(kVerdicts, incident.verdict);
  pass.list(incident.evidence, [](auto& inner, auto& evidence) {
    kSignal(inner, evidence.signal);
    inner.list(evidence.sample_events, kText);
  });
  pass.list(incident.timeline, [](auto& inner, auto& entry) {
    inner(entry.at);
    inner(entry.who);
    inner(entry.what);
  });
  pass.list(incident.decisions, kText);
  if (!pass.since_2()) return;
  pass.one_of(kVerdicts, incident.suggested);
  pass(incident.suggested_because);
  kEach(pass, incident.evidence,
        [](auto& inner, auto& evidence) { kSignalSince2(inner, evidence.signal); });
};

constexpr auto kDecision = [](auto& pass, auto& decision) {
  pass.begin();
  pass(decision.id);
  pass(decision.incident);
  pass.one_of(kDecisionStates, decision.state);
  kStream(pass, decision.scope);
  kMeasure(pass, decision.measure);
  pass(decision.from);
  pass(decision.until);
  pass(decision.detector);
  pass(decision.made_by);
  pass(decision.because);
  pass(decision.episode);
  pass(decision.ended_by);
  pass(decision.ended_why);
  pass(decision.ended_at);
  if (!pass.since_2()) return;
  kMeasureSince2(pass, decision.measure);
  kStream(pass, decision.signalled);
  pass(decision.pace);
};

constexpr auto kShadowDecision = [](auto& pass, auto& decision) {
  pass.begin();
  pass(decision.at);
  pass(decision.detector);
  kStream(pass, decision.scope);
  kMeasure(pass, decision.measure);
  pass(decision.because);
  if (!pass.since_2()) return;
  kMeasureSince2(pass, decision.measure);
};

constexpr auto kEnforcement = [](auto& pass, auto& row) {
  pass(row.decision);
  pass(row.enforcer);
  pass.one_of(kWanted, row.wanted);
  pass.one_of(kActual, row.actual);
  pass(row.attempts);
  pass(row.next_try);
  pass(row.changed_at);
  pass(row.error);
};

constexpr auto kNotice = [](auto& pass, auto& notice) {
  pass(notice.number);
  pass(notice.incident);
  pass(notice.target);
  pass(notice.at);
  pass(notice.subject);
  pass(notice.text);
  pass.one_of(kNoticeStates, notice.state);
  pass(notice.attempts);
  pass(notice.next_try);
  pass(notice.error);
};

constexpr auto kKeptMail = [](auto& pass, auto& mail) {
  pass.begin();
  pass(mail.at);
  pass(mail.source);
  pass(mail.reporter);
  pass(mail.why);
  pass(mail.sender);
  pass.list(mail.recipients, kText);
  if (!pass.since_2()) return;
  pass(mail.proven);
  pass(mail.unsubscribes);
};

constexpr auto kSuppression = [](auto& pass, auto& one) {
  pass.begin();
  pass(one.recipient);
  pass(one.customer);
  pass.one_of(kReasons, one.reason);
  pass(one.origin);
  pass(one.note);
  pass(one.since);
  pass(one.until);
  pass(one.evidence);
  pass(one.event.high);
  pass(one.event.low);
  pass(one.incident);
  pass(one.lifted);
  pass(one.lifted_by);
  pass(one.changed_at);
  pass(one.change);
  if (!pass.since_2()) return;
  pass(one.lifted_note);
  pass(one.by_person);
  pass.list(one.of, [](auto& inner, auto& part) {
    inner(part.dimension);
    inner(part.value);
  });
};

// What schema 1 did not tell apart: its note was written over when a person lifted it, and only
// what came of no event was a person's.
void fill_in(Suppression& one) {
  if (!one.lifted) {
    one.by_person = !one.event;
    return;
  }
  one.by_person = !one.note.empty();
  one.lifted_note = std::exchange(one.note, {});
}

template <class Members, class Value>
std::string written(const Members& members, const Value& value) {
  Writing out;
  members(out, value);
  return out.take();
}

template <class Value, class Members>
Result<Value> read(const Members& members, std::string_view body, std::string_view about) {
  Value value;
  Reading in(body);
  members(in, value);
  if constexpr (std::is_same_v<Value, Suppression>) {
    if (!in.since_2()) fill_in(value);
  }
  const auto whole = in.finish(about);
  if (!whole) return fail(whole.error());
  return value;
}

}  // namespace

std::string encode(const Incident& incident) { return written(kIncident, incident); }
std::string encode(const Decision& decision) { return written(kDecision, decision); }
std::string encode(const ShadowDecision& decision) { return written(kShadowDecision, decision); }
std::string encode(const Enforcement& enforcement) { return written(kEnforcement, enforcement); }
std::string encode(const Notice& notice) { return written(kNotice, notice); }
std::string encode(const KeptMail& mail) { return written(kKeptMail, mail); }
std::string encode(const Suppression& suppression) { return written(kSuppression, suppression); }

Result<Incident> decode_incident(std::string_view body, std::string_view about) {
  return read<Incident>(kIncident, body, about);
}
Result<Decision> decode_decision(std::string_view body, std::string_view about) {
  return read<Decision>(kDecision, body, about);
}
Result<ShadowDecision> decode_shadow_decision(std::string_view body, std::string_view about) {
  return read<ShadowDecision>(kShadowDecision, body, about);
}
Result<Enforcement> decode_enforcement(std::string_view body, std::string_view about) {
  return read<Enforcement>(kEnforcement, body, about);
}
Result<Notice> decode_notice(std::string_view body, std::string_view about) {
  return read<Notice>(kNotice, body, about);
}
Result<KeptMail> decode_kept_mail(std::string_view body, std::string_view about) {
  return read<KeptMail>(kKeptMail, body, about);
}
Result<Suppression> decode_suppression(std::string_view body, std::string_view about) {
  return read<Suppression>(kSuppression, body, about);
}

}  // namespace watchpost::store
