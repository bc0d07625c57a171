#include "auth/dkim/key_record.h"

#include "auth/dkim/tag_list.h"
#include "base/ascii.h"
#include "crypto/base64.h"

namespace watchpost::auth {
namespace {

// Why a key of these tags is none for our signatures; empty: it is one.
std::string unfit(const TagList& list) {
  const Tag* const hashes = list.find("h");
  if (hashes != nullptr && !has_item(hashes->value, "sha256")) {
    return "the key is for other digests than SHA-256 (h=)";
  }
  const Tag* const services = list.find("s");
  if (services != nullptr && !has_item(services->value, "*") &&
      !has_item(services->value, "email")) {
    return "the key is not for mail (s=)";
  }
  return "";
}

void read_key(KeyRecord& record, const TagList& list, std::string_view packed) {
  const Tag* const kind = list.find("k");
  const bool rsa = kind == nullptr || equal_nocase(kind->value, "rsa");
  if (!rsa && !equal_nocase(kind->value, "ed25519")) {
    record.fault = "the key is of a kind that nobody knows (k=)";
    return;
  }
  const auto bytes = crypto::from_base64(packed);
  if (bytes) {
    record.key = rsa ? crypto::PublicKey::rsa(*bytes) : crypto::PublicKey::ed25519(*bytes);
  }
  if (!record.key) record.fault = "the key cannot be read (p=)";
}

}  // namespace

KeyRecord KeyRecord::read(std::string_view text) {
  KeyRecord record;
  const TagList list = TagList::read(text);
  const Tag* const version = list.find("v");
  // RFC 6376 section 3.6.1: v= comes first where it is given at all.
  const bool other =
      version != nullptr && (version->value != "DKIM1" || version != &list.tags().front());
  const Tag* const packed = list.find("p");
  if (!list.fault().empty() || other || packed == nullptr) {
    record.fault =
        list.fault().empty() ? "the record is no DKIM key" : "the key record " + list.fault();
    return record;
  }
  record.is_key = true;
  if (const Tag* const flags = list.find("t")) {
    record.testing = has_item(flags->value, "y");
    record.strict = has_item(flags->value, "s");
  }
  record.fault = unfit(list);
  if (packed->value.empty()) {
    record.revoked = true;
    record.fault = "the key has been revoked";
  }
  if (record.fault.empty()) read_key(record, list, packed->value);
  return record;
}

}  // namespace watchpost::auth
