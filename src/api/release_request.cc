#include "api/page.h"
#include "api/quarantine_routes.h"
#include "api/request_query.h"

#include <array>
#include <string>
#include <string_view>

namespace watchpost::api {
namespace {

using investigate::LinkState;

// One answer for all that is wrong with a link: who tries some learns nothing.
net::HttpResponse page_of(const Error& error) {
  if (error.code == Code::refused || error.code == Code::not_found ||
      error.code == Code::bad_input) {
    return page(404, "This link cannot be used",
                "<p>It was used before, has run out, or is not whole. The next mail about held "
                "messages has a new one.</p>");
  }
  return page(503, "Not now", "<p>Please try again in a moment.</p>");
}

net::HttpResponse page_of(LinkState state) {
  switch (state) {
    case LinkState::can_ask:
      return page(200, "A message was held back",
                  "<p>Do you want it? It was held because it may be harmful.</p><form "
                  "method=\"post\"><button>Ask for this message</button></form>");
    case LinkState::asked:
      return page(200, "You have asked for this message",
                  "<p>A person decides whether you get it.</p>");
    case LinkState::coming:
      return page(200, "This message is released", "<p>It is in your mailbox soon.</p>");
    case LinkState::gone:
      return page(410, "This message cannot be had", "<p>It is not offered any more.</p>");
  }
  return page(503, "Not now", "");
}

using Answer = Result<LinkState> (investigate::QuarantineDesk::*)(std::string_view token);

void answer(const Call& call, const Respond& respond, Answer how) {
  static constexpr std::array<std::string_view, 1> kNames{"t"};
  investigate::QuarantineDesk* const desk = call.services.desk.quarantine();
  const RequestQuery query(call.request);
  if (desk == nullptr || !query.allow_only(kNames) || query.text("t").empty()) {
    return respond(page_of(Error{Code::not_found, "", ""}));
  }
  const auto state = (desk->*how)(query.text("t"));
  respond(state ? page_of(*state) : page_of(state.error()));
}

}  // namespace

void get_release_request(const Call& call, const Respond& respond) {
  answer(call, respond, &investigate::QuarantineDesk::look_at);
}

void post_release_request(const Call& call, const Respond& respond) {
  answer(call, respond, &investigate::QuarantineDesk::ask);
}

}  // namespace watchpost::api
