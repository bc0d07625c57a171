#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "model/notice.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::enforce {

// Tells people: one [[notify]] table.
//   Threads: send() is called from one thread; it may block up to the deadline.
class Notifier {
 public:
  virtual ~Notifier() = default;
  virtual Result<Done> send(const Notice& notice, Duration deadline) = 0;
  virtual std::string state() const = 0;
};

struct NamedNotifier {
  std::string name;
  std::unique_ptr<Notifier> notifier;
};

// [[notify]] of any kind.
struct NotifySettings {
  std::string name;
  std::string kind = "mail";           // mail, slack, syslog
  std::string relay = "127.0.0.1:25";  // mail: SMTP server
  std::string from = "watchpost@localhost";
  std::vector<std::string> to;    // mail: recipients
  std::string url;                // slack: incoming-webhook address
  bool allow_private = false;     // slack: may go to private and loopback addresses
  std::string facility = "mail";  // syslog
};
void fields(SettingsVisitor& visit, NotifySettings& settings);
Result<NamedNotifier> make_notifier(const NotifySettings& settings);

}  // namespace watchpost::enforce
