#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "ingest/intake.h"
#include "investigate/desk.h"
#include "net/http_server.h"

#include <memory>
#include <string>
#include <vector>

namespace watchpost::api {

enum class Role { viewer, sender, responder };

struct Token {
  std::string name;  // stands in the audit log as "token NAME"
  std::string secret;
  Role role = Role::viewer;
  bool read_mail = false;  // it may also read the bodies of held mail, as far as its role goes
};

// The JSON API, /metrics and /health. docs/reference/openapi.json is its contract.
//   Use:     open an HttpServer with handler(); the server goes before this. Over the UNIX socket
//   no
//            token is asked for: root and the daemon's own user may do everything, other users are
//            refused. Over TCP: `Authorization: Bearer SECRET`, compared in constant time; /health
//            needs none.
//   Owns:    a few threads on which the Desk is asked, and a bounded queue before them; past it,
//   503. Threads: handler() is called on Io threads and returns at once.
class Api {
 public:
  // `desk`, `intake` and `metrics` must outlive it.
  Api(investigate::Desk& desk, ingest::Intake& intake, Metrics& metrics, std::vector<Token> tokens);
  ~Api();
  net::HttpHandler handler();
  // Replaces the tokens, on a reload.
  void set_tokens(std::vector<Token> tokens);
  // Answers what is queued with 503 and ends the threads.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::api
