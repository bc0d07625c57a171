#include "base/text.h"
#include "enforce/notifiers/kinds.h"
#include "enforce/notifiers/last_result.h"

#include <algorithm>
#include <array>
#include <syslog.h>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kLongestLine = 900;  // RFC 3164 4.1: 1024 bytes with the header

struct Facility {
  std::string_view name;
  int number;
};
constexpr std::array<Facility, 12> kFacilities{{{"mail", LOG_MAIL},
                                                {"daemon", LOG_DAEMON},
                                                {"user", LOG_USER},
                                                {"auth", LOG_AUTH},
                                                {"local0", LOG_LOCAL0},
                                                {"local1", LOG_LOCAL1},
                                                {"local2", LOG_LOCAL2},
                                                {"local3", LOG_LOCAL3},
                                                {"local4", LOG_LOCAL4},
                                                {"local5", LOG_LOCAL5},
                                                {"local6", LOG_LOCAL6},
                                                {"local7", LOG_LOCAL7}}};

class Syslog final : public Notifier {
 public:
  explicit Syslog(Facility facility) : facility_(facility) {}

  Result<Done> send(const Notice& notice, Duration) override {
    ::syslog(facility_.number | LOG_WARNING, "%s", syslog_line(notice).c_str());
    last_.set(Done{}, notice.at);
    return Done{};
  }
  std::string state() const override {
    return fmt::format("syslog, facility {}: {}", facility_.name, last_.text());
  }

 private:
  const Facility facility_;
  LastResult last_;
};

}  // namespace

std::string syslog_line(const Notice& notice) {
  return fmt::format("{} (watchpost incident show {})", escaped(notice.subject, kLongestLine),
                     text_of(notice.incident));
}

Result<std::unique_ptr<Notifier>> make_syslog(const NotifySettings& settings) {
  const auto found = std::ranges::find(kFacilities, settings.facility, &Facility::name);
  if (found == kFacilities.end()) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a facility", escaped(settings.facility, 64)), "facility");
  }
  return std::make_unique<Syslog>(*found);
}

}  // namespace watchpost::enforce
