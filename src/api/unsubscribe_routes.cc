#include "api/unsubscribe_routes.h"

#include "api/page.h"
#include "base/text.h"

#include <string>
#include <string_view>

namespace watchpost::api {
namespace {

constexpr std::string_view kButton =
    "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" "
    "value=\"One-Click\"><button>Unsubscribe</button></form>";

// application/x-www-form-urlencoded or multipart/form-data, as RFC 8058 section 3.2 allows both.
bool asks_for_it(std::string_view body) {
  constexpr size_t kLongest = 4096;
  body = body.substr(0, kLongest);
  for (const std::string_view pair : split(body, '&')) {
    if (lower_ascii(trim(pair)) == "list-unsubscribe=one-click") return true;
  }
  const std::string lower = lower_ascii(body);
  const size_t name = lower.find("name=\"list-unsubscribe\"");
  if (name == std::string::npos) return false;
  const size_t blank = lower.find("\n\r\n", name);
  const size_t value = blank == std::string::npos ? lower.find("\n\n", name) : blank + 1;
  if (value == std::string::npos) return false;
  return trim(std::string_view(lower).substr(value)).starts_with("one-click");
}

}  // namespace

void get_unsubscribe(const Call&, const Respond& respond) {
  respond(page(200, "Unsubscribe", kButton));
}

void post_unsubscribe(const Call& call, const Respond& respond) {
  if (!asks_for_it(call.request.body)) {
    return respond(page(400, "Unsubscribe", kButton));
  }
  call.services.take_one_click(call.id, [respond](const Result<ingest::Intake::OneClick>& done) {
    if (done && done->suppressed) {
      return respond(page(200, "Unsubscribed", "<p>You are off the list for this mail.</p>"));
    }
    // No rule makes a suppression of it: what becomes of it is up to others who read the events.
    if (done) {
      return respond(page(200, "Thank you", "<p>Your request was passed on to the sender.</p>"));
    }
    if (done.error().code == Code::refused) {
      return respond(page(404, "This link cannot be used any more",
                          "<p>Use the link of a newer mail, or answer it.</p>"));
    }
    if (done.error().code == Code::bad_input) {
      return respond(page(422, "You are not unsubscribed",
                          "<p>This link does not say which address it is for. Please answer the "
                          "mail instead.</p>"));
    }
    respond(page(503, "Not now", "<p>Please try again in a moment.</p>"));
  });
}

}  // namespace watchpost::api
