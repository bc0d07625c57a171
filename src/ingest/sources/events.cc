#include "feedback/formats/event_json.h"
#include "ingest/followed_lines.h"
#include "ingest/format.h"
#include "ingest/sources/kinds.h"

#include <memory>
#include <string>
#include <utility>

namespace watchpost::ingest {
namespace {

// Watchpost's own events, one JSON object a line.
class EventLines final : public LineFormat {
 public:
  EventLines(const std::string& name, const SourceContext& context)
      : context_(context), reader_(context.classifier, name) {}

  void line(std::string_view text, const Hash128& line_id, EventBatch& into) override {
    if (text.find_first_not_of(" \t") == std::string_view::npos) return;
    const size_t first = into.size();
    const auto read = reader_.read(text, line_id, into);
    if (!read) {
      // Half an event is none.
      while (into.size() > first) into.drop_last();
      unread_.count("bad_event", text);
      return;
    }
    map_events(context_.mapping, into, first);
  }
  const feedback::Unread& unread() const override { return unread_; }

 private:
  SourceContext context_;
  feedback::EventJsonReader reader_;
  feedback::Unread unread_;
};

struct EventsSettings final : SourceKind::Settings {
  FollowSettings follow;
  void describe(SettingsVisitor& visit) override { fields(visit, follow); }
};

std::unique_ptr<SourceKind::Settings> make_settings() { return std::make_unique<EventsSettings>(); }

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const EventsSettings&>(settings);
  const auto make_format = [name, context](Time) -> std::unique_ptr<LineFormat> {
    return std::make_unique<EventLines>(name, context);
  };
  return FollowedLines::make(name, own.follow, context.clock, make_format);
}

std::unique_ptr<FileReader> make_reader(std::string name, const SourceContext& context, Time) {
  return std::make_unique<EventLines>(name, context);
}

}  // namespace

const SourceKind kEventsSource{
    .name = "events",
    .summary = "Watchpost's own events, one JSON object a line, from a file that is followed",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = &make_reader,
};

}  // namespace watchpost::ingest
