// The file that says what was bad.
#include "investigate/verdicts.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

constexpr size_t kMostEntries = 1'000'000;

std::unexpected<Error> refuse(size_t entry, std::string what) {
  return fail(Code::bad_input, std::move(what), fmt::format("entry {}", entry + 1));
}

std::string text_in(const boost::json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(boost::json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

Result<JudgedStream> judged_from(const boost::json::object& entry, size_t number, Stream stream,
                                 std::string_view from_key, std::string_view until_key) {
  const auto from = parse_time(text_in(entry, from_key));
  const auto until = parse_time(text_in(entry, until_key));
  if (!from || !until) {
    return refuse(number, fmt::format("`{}` and `{}` are times (RFC 3339)", from_key, until_key));
  }
  if (*from > *until) return refuse(number, "it ends before it begins");
  Verdict verdict = Verdict::compromised;
  if (const std::string name = text_in(entry, "verdict"); !name.empty()) {
    const auto known = verdict_from(name);
    if (!known) return refuse(number, fmt::format("`verdict`: {}", known.error().what));
    verdict = *known;
  }
  return JudgedStream{std::move(stream), *from, *until, verdict, {}};
}

// Of `bad`: a stream as text.
Result<JudgedStream> bad_from(const boost::json::object& entry, size_t number) {
  auto stream = parse_stream(text_in(entry, "stream"));
  if (!stream) return refuse(number, fmt::format("`stream`: {}", stream.error().what));
  if (stream->empty()) return refuse(number, "`stream` is missing, for example credential=eve");
  return judged_from(entry, number, std::move(*stream), "from", "until");
}

// Of `incidents`, as `watchpost simulate` writes them: the narrowest that it names. Nothing where
// no sender did harm.
Result<std::optional<JudgedStream>> incident_from(const boost::json::object& entry, size_t number) {
  const auto* const harmful = entry.if_contains("harmful");
  if (harmful == nullptr || !harmful->is_bool()) return refuse(number, "`harmful` is missing");
  if (!harmful->as_bool()) return std::nullopt;
  Stream stream;
  const auto add = [&](Field field) {
    std::string value = text_in(entry, name_of(field));
    if (!value.empty()) stream.parts.push_back({field, std::move(value)});
  };
  add(Field::credential);
  if (stream.empty()) {
    add(Field::customer);
    add(Field::campaign);
  }
  if (stream.empty()) return refuse(number, "it names neither credential nor customer");
  auto judged = judged_from(entry, number, std::move(stream), "start", "end");
  if (!judged) return fail(judged.error());
  return std::move(*judged);
}

}  // namespace

Result<std::vector<JudgedStream>> truth_from(std::string_view json) {
  boost::system::error_code bad;
  const boost::json::value whole =
      boost::json::parse(boost::json::string_view(json.data(), json.size()), bad);
  const auto* const object = bad ? nullptr : whole.if_object();
  const auto* const list = object != nullptr ? object->if_contains("bad") : nullptr;
  const auto* const simulated = object != nullptr ? object->if_contains("incidents") : nullptr;
  const auto* const found = list != nullptr ? list : simulated;
  if (found == nullptr || !found->is_array()) {
    return fail(Code::bad_input, "not a JSON object with a list `bad` or `incidents`");
  }
  const boost::json::array& entries = found->as_array();
  if (entries.size() > kMostEntries) return fail(Code::exhausted, "too many entries");
  std::vector<JudgedStream> judged;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].is_object()) return refuse(i, "an entry is an object");
    if (list != nullptr) {
      auto entry = bad_from(entries[i].as_object(), i);
      if (!entry) return fail(entry.error());
      judged.push_back(std::move(*entry));
    } else {
      auto entry = incident_from(entries[i].as_object(), i);
      if (!entry) return fail(entry.error());
      if (*entry) judged.push_back(std::move(**entry));
    }
  }
  return judged;
}

}  // namespace watchpost::investigate
