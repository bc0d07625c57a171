#include "feedback/formats/postfix_daemon.h"

#include "feedback/formats/postfix_text.h"

#include <algorithm>
#include <array>

namespace watchpost::feedback {
namespace {

struct Name {
  std::string_view name;
  PostfixDaemon daemon;
};

// The daemons that write nearly all lines stand first.
constexpr std::array kNames{
    Name{"smtpd", PostfixDaemon::smtpd},
    Name{"qmgr", PostfixDaemon::qmgr},
    Name{"smtp", PostfixDaemon::remote},
    Name{"cleanup", PostfixDaemon::cleanup},
    Name{"local", PostfixDaemon::mailbox},
    Name{"lmtp", PostfixDaemon::mailbox},
    Name{"virtual", PostfixDaemon::mailbox},
    Name{"pipe", PostfixDaemon::mailbox},
    Name{"bounce", PostfixDaemon::bounce},
    Name{"error", PostfixDaemon::failure},
    Name{"retry", PostfixDaemon::failure},
    Name{"discard", PostfixDaemon::failure},
    Name{"pickup", PostfixDaemon::pickup},
    Name{"postscreen", PostfixDaemon::postscreen},
    Name{"anvil", PostfixDaemon::quiet},
    Name{"scache", PostfixDaemon::quiet},
    Name{"tlsmgr", PostfixDaemon::quiet},
    Name{"tlsproxy", PostfixDaemon::quiet},
    Name{"dnsblog", PostfixDaemon::quiet},
    Name{"verify", PostfixDaemon::quiet},
    Name{"trivial-rewrite", PostfixDaemon::quiet},
    Name{"master", PostfixDaemon::quiet},
    Name{"defer", PostfixDaemon::bounce},
    Name{"trace", PostfixDaemon::bounce},
    Name{"oqmgr", PostfixDaemon::qmgr},
    Name{"nqmgr", PostfixDaemon::qmgr},
    Name{"postsuper", PostfixDaemon::postsuper},
    Name{"proxymap", PostfixDaemon::quiet},
    Name{"proxywrite", PostfixDaemon::quiet},
    Name{"postfix-script", PostfixDaemon::quiet},
    Name{"postfix-tls-script", PostfixDaemon::quiet},
    Name{"post-install", PostfixDaemon::quiet},
    Name{"sendmail", PostfixDaemon::quiet},
    Name{"postdrop", PostfixDaemon::quiet},
    Name{"postqueue", PostfixDaemon::quiet},
    Name{"postmap", PostfixDaemon::quiet},
    Name{"postalias", PostfixDaemon::quiet},
    Name{"postconf", PostfixDaemon::quiet},
    Name{"postkick", PostfixDaemon::quiet},
    Name{"postlog", PostfixDaemon::quiet},
    Name{"postlogd", PostfixDaemon::quiet},
    Name{"postcat", PostfixDaemon::quiet},
    Name{"postlock", PostfixDaemon::quiet},
    Name{"postmulti", PostfixDaemon::quiet},
    Name{"showq", PostfixDaemon::quiet},
    Name{"flush", PostfixDaemon::quiet},
    Name{"spawn", PostfixDaemon::quiet},
    Name{"qmqpd", PostfixDaemon::smtpd},
    Name{"nbdb_reindexd", PostfixDaemon::quiet},
};

}  // namespace

PostfixTag read_postfix_tag(std::string_view program) {
  const size_t first = program.find('/');
  const bool named_so = program.starts_with("postfix");
  if (first == std::string_view::npos) {
    // "postfix[1]: ..." is written by the commands that start and stop it.
    if (program == "postfix") return {PostfixDaemon::quiet, program, program};
    return {};
  }
  const std::string_view last = program.substr(program.rfind('/') + 1);
  PostfixTag tag{PostfixDaemon::none, program.substr(0, first), program};
  if (last.empty()) return tag;
  if (tag.instance == "postfix") tag.service = program.substr(first + 1);
  for (const Name& known : kNames) {
    // The first letter sorts out most without a call.
    if (known.name[0] != last[0] || known.name != last) continue;
    // Others have a "master" or a "verify" too; what Postfix says there is not missed.
    if (named_so || known.daemon != PostfixDaemon::quiet) tag.daemon = known.daemon;
    return tag;
  }
  if (named_so) tag.daemon = PostfixDaemon::unknown;
  return tag;
}

PostfixTag PostfixTags::read(std::string_view program) {
  if (program.empty() || program.size() > kLongest) return read_postfix_tag(program);
  const size_t last = static_cast<unsigned char>(program.back());
  Known& known = known_[(program.size() * 5 + last) % kKnown];
  if (!same(program, {known.program.data(), known.size})) {
    const PostfixTag tag = read_postfix_tag(program);
    std::ranges::copy(program, known.program.begin());
    known.size = static_cast<uint8_t>(program.size());
    known.daemon = tag.daemon;
    known.instance = static_cast<uint8_t>(tag.instance.size());
    known.service = static_cast<uint8_t>(program.size() - tag.service.size());
  }
  return {known.daemon, program.substr(0, known.instance), program.substr(known.service)};
}

}  // namespace watchpost::feedback
