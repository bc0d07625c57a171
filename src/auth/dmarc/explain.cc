#include "auth/dmarc/explain.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

std::string finding_in_words(const DmarcStep& step) {
  switch (step.finding) {
    case DmarcFinding::record: return fmt::format("\"{}\"", escaped(step.record->text, 500));
    case DmarcFinding::nothing: return "no DMARC record";
    case DmarcFinding::several: return "more than one DMARC record: all are discarded";
    case DmarcFinding::failed: return "nobody knows: " + escaped(step.why);
  }
  return "";
}

std::string purpose_in_words(const DmarcWalk& walk) {
  if (walk.purpose == "policy") return fmt::format("The policy for {}", escaped(walk.start));
  return fmt::format("The organisational domain of {}", escaped(walk.start));
}

std::string tag_in_words(const AuthorVerdict& author) {
  if (author.published_by == "np") return fmt::format("np, since {} does not exist", author.domain);
  if (author.published_by == "sp") {
    return fmt::format("sp, since {} is below {}", author.domain, author.record_domain);
  }
  return author.record->p ? "p" : "p, which is missing and counts as none";
}

}  // namespace

std::vector<std::string> words_of(const DmarcWalk& walk) {
  std::vector<std::string> lines{purpose_in_words(walk)};
  for (const DmarcStep& step : walk.steps) {
    lines.push_back(fmt::format("{}: {}{}", escaped(step.name), finding_in_words(step),
                                step.asked_before ? " (asked before)" : ""));
  }
  if (!walk.stopped_by.empty()) lines.push_back(fmt::format("ended by {}", walk.stopped_by));
  if (!walk.organizational.empty()) {
    lines.push_back(fmt::format("organisational domain: {}", escaped(walk.organizational)));
  }
  return lines;
}

std::vector<std::string> policy_in_words(const AuthorVerdict& author) {
  const bool known = author.policy_unknown.empty();
  if (!author.record || (known && author.published_by.empty())) return {author.why};
  const DmarcRecord& record = *author.record;
  std::vector<std::string> lines;
  if (known) {
    lines.push_back(fmt::format("The record at {} counts: {} is asked for by {}",
                                author.record_domain, name_of(author.published),
                                tag_in_words(author)));
  } else {
    lines.push_back(fmt::format("The record at {} counts", author.record_domain));
    lines.push_back(author.policy_unknown);
  }
  if (record.testing) {
    lines.push_back(fmt::format(
        "t=y: the domain is testing, {} is to be done",
        known ? name_of(one_weaker(author.published)) : "one level less than is asked for"));
  }
  lines.push_back(fmt::format("DKIM has to align {}, SPF {}",
                              record.strict_dkim ? "strictly" : "by organisational domain",
                              record.strict_spf ? "strictly" : "by organisational domain"));
  for (const std::string& tag : record.historic) {
    lines.push_back(fmt::format("{}= has no effect since RFC 9989", tag));
  }
  for (const std::string& defect : record.defects) lines.push_back(defect);
  return lines;
}

std::vector<std::string> alignments_in_words(const AuthorVerdict& author) {
  std::vector<std::string> lines;
  for (const IdentifierAlignment& one : author.alignments) {
    lines.push_back(fmt::format("{} of {}: {}", name_of(one.identifier.mechanism),
                                escaped(one.identifier.domain), one.why));
  }
  return lines;
}

}  // namespace watchpost::auth
