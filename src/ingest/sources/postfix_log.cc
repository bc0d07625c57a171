#include "feedback/formats/postfix_log.h"

#include "ingest/followed_lines.h"
#include "ingest/format.h"
#include "ingest/sources/kinds.h"

#include <memory>
#include <string>
#include <utility>

namespace watchpost::ingest {
namespace {

class PostfixLines final : public LineFormat {
 public:
  PostfixLines(const std::string& name, const SourceContext& context, Time reference,
               feedback::PostfixLogLimits limits)
      : context_(context), log_(context.classifier, name, reference, limits) {}

  void line(std::string_view text, const Hash128& line_id, EventBatch& into) override {
    const size_t first = into.size();
    log_.line(text, line_id, into);
    map_events(context_.mapping, into, first);
  }
  const feedback::Unread& unread() const override { return log_.unread(); }
  void set_now(Time now) override { log_.set_reference(now); }
  std::string save() const override { return log_.save(); }
  Result<Done> restore(std::string_view saved) override { return log_.restore(saved); }

 private:
  SourceContext context_;
  feedback::PostfixLog log_;
};

struct PostfixSettings final : SourceKind::Settings {
  FollowSettings follow;
  int64_t open_messages = 1'000'000;
  void describe(SettingsVisitor& visit) override {
    fields(visit, follow);
    visit.setting({.name = "open_messages",
                   .help = "Messages in the queue whose login, client and sender are kept until "
                           "their deliveries are logged; past it the oldest are dropped.",
                   .least = 1000,
                   .most = 100'000'000},
                  &open_messages);
  }
};

std::unique_ptr<SourceKind::Settings> make_settings() {
  return std::make_unique<PostfixSettings>();
}

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const PostfixSettings&>(settings);
  const feedback::PostfixLogLimits limits{
      .open_messages = static_cast<size_t>(own.open_messages),
      .longest_line = static_cast<size_t>(own.follow.longest_line)};
  const auto make_format = [name, context, limits](Time reference) -> std::unique_ptr<LineFormat> {
    return std::make_unique<PostfixLines>(name, context, reference, limits);
  };
  return FollowedLines::make(name, own.follow, context.clock, make_format);
}

std::unique_ptr<FileReader> make_reader(std::string name, const SourceContext& context,
                                        Time reference) {
  return std::make_unique<PostfixLines>(name, context, reference, feedback::PostfixLogLimits{});
}

}  // namespace

const SourceKind kPostfixLogSource{
    .name = "postfix_log",
    .summary = "a Postfix log that is followed through rotation",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = &make_reader,
};

}  // namespace watchpost::ingest
