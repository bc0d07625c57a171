#pragma once
#include "enforce/enforcer.h"
#include "suppress/reply.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace watchpost::enforce {

struct PostfixPolicySettings final : EnforcerKind::Settings {
  std::vector<std::string> listen;  // "127.0.0.1:8891", "unix:/run/watchpost/policy.sock"
  std::string socket_mode = "0660";
  std::string contact;
  int64_t connections = 1000;
  Duration idle = std::chrono::seconds(1100);
  bool suppressions = false;
  std::string suppression_reply{suppress::kUsualReply};
  void describe(SettingsVisitor& visit) override;
  Result<Done> check() const override;
  std::vector<std::string> listens() const override { return listen; }
};

// Answers Postfix's policy requests from the decisions in force.
//   Owns:    its listeners and the buckets of throttles.
//   Threads: sessions run on Io threads. Nothing in them waits but for the socket.
//   Fails:   open() where an address cannot be listened at.
class PostfixPolicy final : public Enforcer {
 public:
  static Result<std::unique_ptr<PostfixPolicy>> open(const std::string& name,
                                                     const PostfixPolicySettings& settings,
                                                     const EnforcerContext& context);
  ~PostfixPolicy() override;

  Result<Done> can(const Decision& decision) const override;
  // Both are done already: sessions look at the decisions in force.
  Result<Done> apply(const Decision& decision, Duration deadline) override;
  Result<Done> undo(const Decision& decision, Duration deadline) override;
  std::string state() const override;

  // The TCP port bound last; 0 where there are only UNIX sockets.
  uint16_t port() const;

 private:
  struct Service;
  PostfixPolicy() = default;
  std::shared_ptr<Service> service_;
};

extern const EnforcerKind kPostfixPolicy;

}  // namespace watchpost::enforce
