#include "cli/identity_json.h"

#include "mime/charset.h"

#include <utility>

#include <boost/json.hpp>

namespace watchpost::cli {
namespace {

using boost::json::array;

template <class Texts>
array texts_json(const Texts& texts) {
  array all;
  for (const auto& one : texts) all.emplace_back(utf8(one));
  return all;
}

template <class Values>
array names_json(const Values& values) {
  array all;
  for (const auto one : values) all.emplace_back(name_of(one));
  return all;
}

template <class Values>
array all_json(const Values& values) {
  array all;
  for (const auto& one : values) all.emplace_back(json_of(one));
  return all;
}

boost::json::value time_json(const std::optional<Time>& at) {
  return at ? boost::json::value(format_time(*at)) : boost::json::value(nullptr);
}

boost::json::value request_json(const std::optional<auth::DmarcRequest>& request) {
  return request ? boost::json::value(name_of(*request)) : boost::json::value(nullptr);
}

// null where nobody knows.
boost::json::value published_json(const auth::AuthorVerdict& author) {
  return author.policy_unknown.empty() ? boost::json::value(name_of(author.published))
                                       : boost::json::value(nullptr);
}

boost::json::value record_json(const std::optional<auth::DmarcRecord>& record) {
  return record ? boost::json::value(json_of(*record)) : boost::json::value(nullptr);
}

Object json_of(const mime::Address& address) {
  return {{"name", utf8(address.name)},
          {"address", utf8(address.text())},
          {"domain", utf8(address.domain)},
          {"group", utf8(address.group)}};
}

Object json_of(const auth::DmarcStep& step) {
  return {{"domain", utf8(step.domain)},
          {"name", utf8(step.name)},
          {"finding", name_of(step.finding)},
          {"record", step.record ? boost::json::value(utf8(step.record->text)) : nullptr},
          {"why", utf8(step.why)},
          {"asked_before", step.asked_before}};
}

Object json_of(const auth::DmarcWalk& walk) {
  array steps;
  for (const auth::DmarcStep& step : walk.steps) steps.emplace_back(json_of(step));
  return {{"start", utf8(walk.start)},           {"purpose", walk.purpose},
          {"complete", walk.complete},           {"organizational", utf8(walk.organizational)},
          {"stopped_by", utf8(walk.stopped_by)}, {"steps", std::move(steps)}};
}

Object json_of(const auth::IdentifierAlignment& one) {
  return {{"mechanism", name_of(one.identifier.mechanism)},
          {"domain", utf8(one.identifier.domain)},
          {"selector", utf8(one.identifier.selector)},
          {"passed", one.identifier.outcome == auth::IdentifierOutcome::pass},
          {"outcome", name_of(one.identifier.outcome)},
          {"alignment", name_of(one.alignment)},
          {"counts", one.counts},
          {"organizational", utf8(one.organizational)},
          {"why", utf8(one.why)}};
}

Object json_of(const auth::AuthorVerdict& author) {
  array alignments, walks;
  for (const auto& one : author.alignments) alignments.emplace_back(json_of(one));
  for (const auto& one : author.walks) walks.emplace_back(json_of(one));
  return {{"domain", utf8(author.domain)},
          {"result", name_of(author.result)},
          {"why", utf8(author.why)},
          {"record", record_json(author.record)},
          {"record_domain", utf8(author.record_domain)},
          {"organizational", utf8(author.organizational)},
          {"published", published_json(author)},
          {"published_by", author.published_by},
          {"disposition", name_of(author.disposition)},
          {"override", name_of(author.override_reason)},
          {"alignments", std::move(alignments)},
          {"walks", std::move(walks)}};
}

Object json_of(const auth::ArcSet& set) {
  return {{"instance", set.instance},
          {"cv", utf8(set.cv)},
          {"seal", cli::json_of(set.seal)},
          {"message", cli::json_of(set.message)},
          {"authentication_results", utf8(set.authentication_results)}};
}

}  // namespace

std::string utf8(std::string_view bytes) { return mime::to_utf8(bytes, {}, bytes.size() * 3).text; }

Object json_of(const auth::SpfVerdict& verdict) {
  return {{"result", name_of(verdict.result)},
          {"asked", verdict.asked},
          {"identity", name_of(verdict.identity)},
          {"domain", utf8(verdict.domain)},
          {"decided_at", utf8(verdict.decided_at)},
          {"record", utf8(verdict.record)},
          {"mechanism", utf8(verdict.mechanism)},
          {"within", texts_json(verdict.within)},
          {"look_ups", verdict.look_ups},
          {"void_look_ups", verdict.void_look_ups},
          {"explanation", utf8(verdict.explanation)},
          {"why", utf8(verdict.why)}};
}

Object json_of(const auth::DkimVerdict& verdict) {
  Object one{{"result", name_of(verdict.result)},
             {"why", utf8(verdict.why)},
             {"domain", utf8(verdict.domain)},
             {"selector", utf8(verdict.selector)},
             {"identity", utf8(verdict.identity)},
             {"algorithm", utf8(verdict.algorithm)},
             {"b", utf8(verdict.b_begin)},
             {"header", name_of(verdict.header)},
             {"body", name_of(verdict.body)},
             {"key_bits", verdict.key_bits},
             {"unsigned_bytes", verdict.unsigned_bytes},
             {"signed_at", time_json(verdict.signed_at)},
             {"expires_at", time_json(verdict.expires_at)},
             {"fields", texts_json(verdict.fields)},
             {"weaknesses", names_json(verdict.weaknesses)},
             {"authentic", verdict.authentic},
             {"field_index", verdict.field_index}};
  one["body_length"] = verdict.body_length ? boost::json::value(*verdict.body_length) : nullptr;
  return one;
}

Object json_of(const auth::ArcVerdict& verdict) {
  array sets;
  for (const auth::ArcSet& set : verdict.sets) sets.emplace_back(json_of(set));
  return {{"result", name_of(verdict.result)},
          {"why", utf8(verdict.why)},
          {"sealer", utf8(verdict.sealer())},
          {"oldest_pass", verdict.oldest_pass},
          {"sets", std::move(sets)}};
}

Object json_of(const auth::Authors& authors) {
  array addresses, oddities;
  for (const mime::Address& one : authors.addresses) addresses.emplace_back(json_of(one));
  for (const auth::AuthorOddity one : authors.oddities) {
    oddities.emplace_back(Object{{"oddity", name_of(one)}, {"words", words_of(one)}});
  }
  return {{"addresses", std::move(addresses)},
          {"domains", texts_json(authors.domains)},
          {"oddities", std::move(oddities)},
          {"certain", authors.certain()}};
}

Object json_of(const auth::DmarcRecord& record) {
  return {{"text", utf8(record.text)},
          {"p", request_json(record.p)},
          {"sp", request_json(record.sp)},
          {"np", request_json(record.np)},
          {"strict_dkim", record.strict_dkim},
          {"strict_spf", record.strict_spf},
          {"testing", record.testing},
          {"rua", texts_json(record.rua)},
          {"ruf", texts_json(record.ruf)},
          {"historic", texts_json(record.historic)},
          {"defects", texts_json(record.defects)}};
}

Object json_of(const auth::DmarcVerdict& verdict) {
  array authors;
  for (const auth::AuthorVerdict& one : verdict.authors) authors.emplace_back(json_of(one));
  Object one{{"result", name_of(verdict.result)}, {"why", utf8(verdict.why)}};
  const auth::AuthorVerdict* const author = verdict.author();
  one["domain"] = author != nullptr ? utf8(author->domain) : "";
  one["disposition"] = name_of(author != nullptr ? author->disposition : auth::DmarcRequest::none);
  one["override"] =
      name_of(author != nullptr ? author->override_reason : auth::DmarcOverride::none);
  one["authors"] = std::move(authors);
  return one;
}

Object json_of(const dns::HostNames& host) {
  return {{"result", name_of(host.result)},
          {"confirmed", texts_json(host.confirmed)},
          {"unconfirmed", texts_json(host.unconfirmed)},
          {"not_looked_at", host.not_looked_at},
          {"why", utf8(host.why)}};
}

Object json_of(const auth::Identity& identity) {
  const auth::Connection& connection = identity.connection;
  Object sender{{"argument", utf8(connection.mail_from)},
                {"readable", identity.sender.has_value()}};
  sender["local"] = identity.sender ? utf8(identity.sender->local) : "";
  sender["domain"] = identity.sender ? utf8(identity.sender->domain) : "";
  Object one{{"authentic", identity.author_is_authentic()},
             {"ip", connection.ip ? boost::json::value(connection.ip->text()) : nullptr},
             {"iprev", identity.host ? boost::json::value(json_of(*identity.host)) : nullptr},
             {"helo", utf8(connection.helo)},
             {"login", utf8(connection.login)},
             {"login_is_author", identity.login_is_author},
             {"mail_from", std::move(sender)},
             {"authors", json_of(identity.authors)},
             {"spf_helo", json_of(identity.spf_helo)},
             {"spf_mail_from", json_of(identity.spf_mail_from)},
             {"dkim", all_json(identity.dkim)},
             {"arc", json_of(identity.arc)},
             {"trusted_sealer", utf8(identity.trusted_sealer)},
             {"dmarc", json_of(identity.dmarc)},
             {"look_ups", identity.look_ups}};
  return one;
}

}  // namespace watchpost::cli
