#include "api/fake_quarantine_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::api {
namespace {

using investigate::LinkState;
using quarantine::HeldId;
using quarantine::HeldSearch;

constexpr Time kNow = Time(std::chrono::seconds(1'795'500'000));
// What a stranger may have put into a mail: markup, control bytes, and bytes that are not UTF-8.
constexpr std::string_view kHostile = "<b>\"\\\x1b[31m\xff\xc3\xa4";

quarantine::HeldMessage message_of(const HeldId& id) {
  quarantine::HeldMessage message;
  message.id = id;
  message.at = kNow;
  message.until = kNow + 720h;
  message.sender = message.subject = message.reason = kHostile;
  message.rule = "decision d-17";
  message.decision = {17};
  message.copies = {{.recipient = std::string(kHostile), .changed = kNow},
                    {.recipient = "lee@us.example",
                     .state = quarantine::CopyState::due,
                     .changed = kNow,
                     .release_at = kNow + 1h,
                     .paced = true,
                     .by = "ops",
                     .note = std::string(kHostile),
                     .requested = kNow}};
  return message;
}

quarantine::Exception exception() {
  return {"held-4f2a91c0", "author == 'a@x.example'", kNow, "ops", std::string(kHostile)};
}

}  // namespace

Result<size_t> FakeQuarantineDesk::acted(std::string what) {
  if (const auto done = remember_(std::move(what)); !done) return fail(done.error());
  return size_t{2};
}

Result<quarantine::HeldPage> FakeQuarantineDesk::list(const HeldSearch& search) {
  last_search = search;
  if (const auto done = remember_("list held"); !done) return fail(done.error());
  return quarantine::HeldPage{{message_of({1, 2})}, "next"};
}

Result<quarantine::HeldMessage> FakeQuarantineDesk::find(const HeldId& id) {
  if (const auto done = remember_("find " + to_hex(id)); !done) return fail(done.error());
  return message_of(id);
}

Result<quarantine::Usage> FakeQuarantineDesk::usage() {
  if (const auto done = remember_("usage"); !done) return fail(done.error());
  return quarantine::Usage{.messages = 1, .copies = 2, .space = 100, .oldest = kNow};
}

Result<investigate::SafeView> FakeQuarantineDesk::view(const HeldId& id, std::string_view who) {
  if (const auto done = remember_(fmt::format("view {} {}", to_hex(id), who)); !done) {
    return fail(done.error());
  }
  return investigate::SafeView{.header = {"Subject: x"},
                               .parts = {{.type = "text/plain"}},
                               .texts = {{"text/plain", "hello\n"}},
                               .links = {{"hxxp://x[.]example", true}},
                               .findings = {"long_line"},
                               .verdict = R"({"v":1})"};
}

Result<std::string> FakeQuarantineDesk::bytes(const HeldId& id, std::string_view who) {
  if (const auto done = remember_(fmt::format("bytes {} {}", to_hex(id), who)); !done) {
    return fail(done.error());
  }
  return "Subject: x\r\n\r\n" + std::string(kHostile);
}

Result<investigate::ReleaseReceipt> FakeQuarantineDesk::release(
    const HeldId& id, const investigate::ReleaseWish& wish, std::string_view who) {
  const auto done = acted(
      fmt::format("release {} [{}]{}{} {}: {}", to_hex(id), fmt::join(wish.recipients, ","),
                  wish.accept_like ? " like" : "", wish.wrong ? " wrong" : "", who, wish.why));
  if (!done) return fail(done.error());
  return investigate::ReleaseReceipt{
      .copies = *done, .exception = exception(), .corrected = 1, .incident = {4}};
}

Result<size_t> FakeQuarantineDesk::release_found(const HeldSearch& search, bool paced,
                                                 std::string_view who, std::string_view why) {
  last_search = search;
  return acted(fmt::format("release found{} {}: {}", paced ? " paced" : "", who, why));
}

Result<size_t> FakeQuarantineDesk::hold_again(const HeldSearch& search, std::string_view who,
                                              std::string_view why) {
  last_search = search;
  return acted(fmt::format("hold again {}: {}", who, why));
}

Result<size_t> FakeQuarantineDesk::discard(const HeldId& id,
                                           std::span<const std::string> recipients,
                                           std::string_view who, std::string_view why) {
  return acted(
      fmt::format("discard {} [{}] {}: {}", to_hex(id), fmt::join(recipients, ","), who, why));
}

Result<size_t> FakeQuarantineDesk::discard_found(const HeldSearch& search, std::string_view who,
                                                 std::string_view why) {
  last_search = search;
  return acted(fmt::format("discard found {}: {}", who, why));
}

Result<Done> FakeQuarantineDesk::extend(const HeldId& id, Time until, std::string_view who,
                                        std::string_view why) {
  return remember_(fmt::format("extend {} {} {}: {}", to_hex(id), format_time(until), who, why));
}

Result<size_t> FakeQuarantineDesk::erase_person(std::string_view address, std::string_view who,
                                                std::string_view why) {
  return acted(fmt::format("erase {} {}: {}", address, who, why));
}

Result<size_t> FakeQuarantineDesk::settle(const HeldId& id, bool arrived, std::string_view who,
                                          std::string_view why) {
  return acted(
      fmt::format("settle {} {} {}: {}", to_hex(id), arrived ? "arrived" : "again", who, why));
}

Result<size_t> FakeQuarantineDesk::rekey(std::string_view who) {
  return acted(fmt::format("rekey {}", who));
}

Result<std::vector<quarantine::Exception>> FakeQuarantineDesk::exceptions() {
  if (const auto done = remember_("exceptions"); !done) return fail(done.error());
  return std::vector{exception()};
}

Result<Done> FakeQuarantineDesk::end_exception(std::string_view name, std::string_view who,
                                               std::string_view why) {
  return remember_(fmt::format("end {} {}: {}", name, who, why));
}

Result<LinkState> FakeQuarantineDesk::look_at(std::string_view token) {
  if (const auto done = remember_("look"); !done) return fail(done.error());
  if (token == "good") return LinkState::can_ask;
  if (token == "asked") return LinkState::asked;
  if (token == "gone") return LinkState::gone;
  return fail(Code::refused, "forged");
}

Result<LinkState> FakeQuarantineDesk::ask(std::string_view token) {
  if (const auto done = remember_("ask"); !done) return fail(done.error());
  if (token == "good") return LinkState::asked;
  return fail(Code::refused, "forged, or used");
}

}  // namespace watchpost::api
