#include "feedback/formats/kumomta_log.h"

#include "ingest/followed_lines.h"
#include "ingest/format.h"
#include "ingest/segments.h"
#include "ingest/sources/kinds.h"

#include <memory>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace watchpost::ingest {
namespace {

// KumoMTA log records, one JSON object a line.
class KumomtaLines final : public LineFormat {
 public:
  KumomtaLines(feedback::KumomtaLog log, const SourceContext& context)
      : context_(context), log_(std::move(log)) {}

  void line(std::string_view text, const Hash128& line_id, EventBatch& into) override {
    if (text.empty()) return;
    const size_t first = into.size();
    // What is refused is counted there.
    if (log_.record(text, line_id, into)) map_events(context_.mapping, into, first);
  }
  const feedback::Unread& unread() const override { return log_.unread(); }

 private:
  SourceContext context_;
  feedback::KumomtaLog log_;
};

// A record that is cut cannot be read, and those of feedback hold a whole message.
constexpr int64_t kLongest = 1024 * 1024;

struct KumomtaSettings final : SourceKind::Settings {
  FollowSettings follow{.path = {}, .longest_line = kLongest};
  feedback::KumomtaNames names;
  void describe(SettingsVisitor& visit) override {
    fields(visit, follow);
    fields(visit, names);
  }
};

std::unique_ptr<SourceKind::Settings> make_settings() {
  return std::make_unique<KumomtaSettings>();
}

// A folder of segments; one that is not there yet is told by the slash at its end.
bool is_folder(const std::string& path) {
  struct stat seen{};
  if (::stat(path.c_str(), &seen) == 0) return S_ISDIR(seen.st_mode);
  return path.ends_with('/');
}

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const KumomtaSettings&>(settings);
  const auto usable = feedback::KumomtaLog::with(context.classifier, name, own.names);
  if (!usable) return fail(usable.error());
  const auto make_format = [name, context, names = own.names](Time) -> std::unique_ptr<LineFormat> {
    auto log = feedback::KumomtaLog::with(context.classifier, name, names);
    WP_CHECK(log.has_value());
    return std::make_unique<KumomtaLines>(std::move(*log), context);
  };
  const FollowSettings& follow = own.follow;
  if (!is_folder(follow.path)) {
    return FollowedLines::make(name, follow, context.clock, make_format);
  }
  SegmentOptions options{.folder = follow.path,
                         .longest_line = static_cast<size_t>(follow.longest_line),
                         .from_end = follow.start != "beginning"};
  const auto make_follower = [options = std::move(options)]() -> std::unique_ptr<Follower> {
    return std::make_unique<SegmentFollower>(options);
  };
  return FollowedLines::over(std::move(name), make_follower, context.clock, make_format);
}

std::unique_ptr<FileReader> make_reader(std::string name, const SourceContext& context, Time) {
  return std::make_unique<KumomtaLines>(feedback::KumomtaLog(context.classifier, std::move(name)),
                                        context);
}

}  // namespace

const SourceKind kKumomtaLogSource{
    .name = "kumomta_log",
    .summary = "KumoMTA's log records: its folder of segments, or a file of JSON lines",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = &make_reader,
    .longest_line = kLongest,
};

}  // namespace watchpost::ingest
