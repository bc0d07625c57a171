#include "feedback/formats/powermta_csv.h"

#include "ingest/dated_files.h"
#include "ingest/followed_lines.h"
#include "ingest/format.h"
#include "ingest/lines.h"
#include "ingest/sources/kinds.h"

#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::ingest {
namespace {

constexpr int64_t kLongest = 64 * 1024;  // bytes of a line

struct PowermtaSettings final : SourceKind::Settings {
  FollowSettings follow{.longest_line = kLongest};
  feedback::PowermtaColumns columns;
  void describe(SettingsVisitor& visit) override {
    fields(visit, follow);
    visit.section("columns", "which columns say whose mail it is",
                  [&] { feedback::fields(visit, columns); });
  }
};

// The files that may hold a line that was just read, the likeliest first.
std::vector<std::string> files_of(const std::string& path) {
  if (!DatedName::is_pattern(path)) return {path};
  const auto name = DatedName::parse(path);
  std::vector<std::string> files;
  if (!name) return files;
  for (const std::string& file : std::views::reverse(name->files())) {
    files.push_back(name->path_of(file));
    if (files.size() == 3) break;
  }
  return files;
}

class PowermtaLines final : public LineFormat {
 public:
  PowermtaLines(const std::string& name, const SourceContext& context,
                const PowermtaSettings& settings)
      : context_(context), name_(name), settings_(settings), csv_(fresh()) {}

  void line(std::string_view text, const Hash128& line_id, EventBatch& into) override {
    if (!csv_.knows_columns() && !looked_) look_for_header(line_id);
    const size_t first = into.size();
    csv_.line(text, line_id, into);
    map_events(context_.mapping, into, first);
  }
  void begin_file() override {
    looked_ = true;
    csv_.begin_file();
  }
  void stop_with(std::stop_token stop) override { stop_ = std::move(stop); }
  bool broke_off() const override { return broke_off_; }
  const feedback::Unread& unread() const override { return csv_.unread(); }
  std::string save() const override { return csv_.save(); }
  Result<Done> restore(std::string_view saved) override { return csv_.restore(saved); }

 private:
  feedback::PowermtaCsv fresh() const {
    return {context_.classifier, name_, settings_.columns,
            static_cast<size_t>(settings_.follow.longest_line)};
  }

  // A first start at the end of a file: what stands before that line says what its columns are, and
  // whether it stands within quotes.
  void look_for_header(const Hash128& line_id) {
    looked_ = true;
    for (const std::string& path : files_of(settings_.follow.path)) {
      if (!look_at(path)) continue;
      auto lines = LineReader::open(path, static_cast<size_t>(settings_.follow.longest_line));
      if (!lines) continue;
      feedback::PowermtaCsv before = fresh();
      Line line;
      while (lines->next(line)) {
        if (lines->id_of(line) == line_id) {
          // What was just written is read back.
          (void)csv_.restore(before.save());
          return;
        }
        before.pass_over(line.text);
        broke_off_ = stop_.stop_requested();
        if (broke_off_) return;
      }
    }
  }

  SourceContext context_;
  std::string name_;
  PowermtaSettings settings_;
  feedback::PowermtaCsv csv_;
  bool looked_ = false;
  std::stop_token stop_;
  bool broke_off_ = false;
};

std::unique_ptr<SourceKind::Settings> make_settings() {
  return std::make_unique<PowermtaSettings>();
}

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const PowermtaSettings&>(settings);
  const auto make_format = [name, context, own](Time) -> std::unique_ptr<LineFormat> {
    return std::make_unique<PowermtaLines>(name, context, own);
  };
  if (!DatedName::is_pattern(own.follow.path)) {
    return FollowedLines::make(name, own.follow, context.clock, make_format);
  }
  auto dated = DatedName::parse(own.follow.path);
  if (!dated) return fail(dated.error());
  const DatedFiles::Options options{.name = std::move(*dated),
                                    .longest_line = static_cast<size_t>(own.follow.longest_line),
                                    .from_end = own.follow.start != "beginning"};
  const auto make_follower = [options]() -> std::unique_ptr<Follower> {
    return std::make_unique<DatedFiles>(options);
  };
  return FollowedLines::over(std::move(name), make_follower, context.clock, make_format);
}

std::unique_ptr<FileReader> make_reader(std::string name, const SourceContext& context, Time) {
  return std::make_unique<PowermtaLines>(name, context, PowermtaSettings{});
}

}  // namespace

const SourceKind kPowermtaCsvSource{
    .name = "powermta_csv",
    .summary = "PowerMTA accounting files (CSV) that are followed",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = &make_reader,
};

}  // namespace watchpost::ingest
