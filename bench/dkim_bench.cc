// What verifying and signing cost on one core, for messages of 10 kB with their keys cached, beside
// what OpenSSL alone needs for the same digest and the same public key operation.
//   dkim_bench                  the figures
//   dkim_bench --verify         messages verified for some seconds, for a profiler
//   dkim_bench --write FOLDER   the messages, and key.txt with the record of their key, for others
//                               to verify (dkim_peers.py)
#include "auth/dkim/dkim.h"
#include "auth/dkim/key_cache.h"
#include "auth/dkim/sign.h"
#include "crypto/digest.h"
#include "crypto/test_keys.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace {

std::atomic<size_t> allocations = 0, openssl_allocations = 0;

void* counted(size_t size, const char*, int) {
  openssl_allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void* counted_again(void* old, size_t size, const char*, int) { return std::realloc(old, size); }
void freed(void* some, const char*, int) { std::free(some); }

}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const some = std::malloc(size)) return some;
  throw std::bad_alloc();
}
void operator delete(void* some) noexcept { std::free(some); }
void operator delete(void* some, size_t) noexcept { std::free(some); }

namespace watchpost::auth {
namespace {

constexpr size_t kMessages = 200, kBodyBytes = 10'000;

// One record for whatever is asked.
class OneRecord final : public dns::Resolver {
 public:
  explicit OneRecord(std::string text) {
    dns::Answer answer;
    answer.outcome = dns::Outcome::found;
    answer.texts.push_back(std::move(text));
    answer_ = std::make_shared<const dns::Answer>(std::move(answer));
  }
  Async<dns::AnswerPtr> look_up(std::string, dns::RecordType, dns::Budget&) override {
    co_return answer_;
  }

 private:
  dns::AnswerPtr answer_;
};

std::string lines(std::mt19937& random, size_t bytes, bool indented) {
  constexpr std::array<std::string_view, 10> kWords{
      "order", "your", "<b>now</b>", "reaches", "us", "on", "Monday", "before", "noon", "&nbsp;"};
  std::string text;
  while (text.size() < bytes) {
    if (indented) text.append(random() % 4 * 2, ' ');
    const size_t end = text.size() + 40 + random() % 36;
    while (text.size() < end) text.append(kWords[random() % kWords.size()]).append(" ");
    if (random() % 10 != 0) text.pop_back();
    text += random() % 8 == 0 ? "\r\n\r\n" : "\r\n";
  }
  return text;
}

// As newsletters have it: plain text, and HTML with its lines indented; empty lines, a blank at the
// end of some.
std::string body(std::mt19937& random) {
  return "--b\r\nContent-Type: text/plain\r\n\r\n" + lines(random, kBodyBytes / 3, false) +
         "--b\r\nContent-Type: text/html\r\n\r\n" + lines(random, kBodyBytes * 2 / 3, true) +
         "--b--\r\n";
}

std::string message(size_t number, std::mt19937& random) {
  std::string text;
  for (int hop = 1; hop < 4; ++hop) {
    text += fmt::format(
        "Received: from relay{0}.example.net (relay{0}.example.net [192.0.2.{0}])\r\n"
        "\tby mx{0}.example.org (Postfix) with ESMTPS id 4F{1:08X}{0}\r\n"
        "\tfor <reader{1}@example.org>; Mon,  5 Jan 2026 10:0{0}:00 +0000 (UTC)\r\n",
        hop, number);
  }
  return text +
         fmt::format(
             "From: \"The Shop\" <news@shop.example>\r\nTo: Reader {0} <reader{0}@example.org>\r\n"
             "Subject: =?utf-8?Q?Your_order_{0}_is_on_its_way?=\r\n"
             "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <{0}.order@shop.example>\r\n"
             "List-Unsubscribe: <https://shop.example/unsubscribe/{0}>\r\nMIME-Version: 1.0\r\n"
             "Content-Type: multipart/alternative; boundary=b\r\n\r\n",
             number) +
         body(random);
}

struct Work {
  std::vector<std::string> texts;
  std::vector<mime::Message> messages;
  std::string record;
};

Work work_for(const std::string& pem) {
  const auto key = crypto::SigningKey::from_pem(pem, "key");
  std::mt19937 random(1);
  Work work;
  for (size_t i = 0; i < kMessages; ++i) {
    std::string text = message(i, random);
    const auto field =
        sign_dkim(mime::Message::read(text), *key, {.domain = "shop.example", .selector = "s2026"});
    work.texts.push_back(*field + text);
  }
  for (const std::string& text : work.texts) work.messages.push_back(mime::Message::read(text));
  work.record = fmt::format("v=DKIM1; k={}; p={}", name_of(key->kind()), key->public_base64());
  return work;
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Messages a second of processor time, best of the rounds: other work on the machine only takes
// away.
template <class One>
double rate(One one) {
  constexpr int kRounds = 15, kPasses = 3;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = processor_seconds();
    for (int pass = 0; pass < kPasses; ++pass) {
      for (size_t i = 0; i < kMessages; ++i) one(i);
    }
    best = std::max(best, kMessages * kPasses / (processor_seconds() - begin));
  }
  return best;
}

// The bound: SHA-256 of the message and one RSA verification with everything prepared, as `openssl
// speed` has them.
double bound(const Work& work, const std::string& pem) {
  BIO* const bytes = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bytes, nullptr, nullptr, nullptr);
  const auto signing = crypto::SigningKey::from_pem(pem, "key");
  const crypto::Sha256 digest = crypto::sha256("text");
  const std::string signature = *signing->sign(digest);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_verify_init(context);
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
  EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
  const double found = rate([&](size_t i) {
    const crypto::Sha256 made = crypto::sha256(work.texts[i]);
    const int fits =
        EVP_PKEY_verify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                        signature.size(), digest.data(), digest.size());
    if (fits != 1 || made == digest) std::abort();
  });
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(bytes);
  return found;
}

class Verification {
 public:
  explicit Verification(const Work& work) : work_(work), resolver_(work.record) {
    options_.keys = &keys_;
    options_.now = Time(std::chrono::seconds(1767607200));
  }

  void check(const mime::Message& message) {
    dns::Budget budget;
    const auto verdicts = value_now(verify_dkim(message, resolver_, budget, options_));
    if (overall(*verdicts) != DkimResult::pass) {
      fmt::print(stderr, "not verified: {}\n", verdicts->empty() ? "" : verdicts->front().why);
      std::abort();
    }
  }
  void verify(size_t i) { check(work_.messages[i]); }
  void read_and_verify(size_t i) { check(mime::Message::read(work_.texts[i])); }

 private:
  const Work& work_;
  OneRecord resolver_;
  KeyCache keys_;
  DkimOptions options_;
};

void show(std::string_view what, double found, double of) {
  fmt::print("{:34} {:9.0f}/s {:7.2f} us", what, found, 1e6 / found);
  fmt::print("{}\n", of > 0 ? fmt::format("   {:.2f} of the bound", found / of) : "");
}

void show_allocations(Verification& verification) {
  verification.verify(0);
  const size_t ours = allocations, theirs = openssl_allocations;
  for (size_t i = 0; i < kMessages; ++i) verification.verify(i);
  fmt::print("{:34} {:.1f}, and {:.1f} inside OpenSSL\n", "allocations per message",
             static_cast<double>(allocations - ours) / kMessages,
             static_cast<double>(openssl_allocations - theirs) / kMessages);
}

void figures() {
  const std::string pem = crypto::new_rsa_pem(2048);
  const Work rsa = work_for(pem), ed25519 = work_for(crypto::new_ed25519_pem());
  const double most = bound(rsa, pem);
  fmt::print("{} messages of {} bytes, the first of them; one core\n", kMessages,
             rsa.texts.front().size());
  show("OpenSSL alone: SHA-256, RSA 2048", most, 0);
  Verification of_rsa(rsa), of_ed25519(ed25519);
  show("verify rsa-sha256", rate([&](size_t i) { of_rsa.verify(i); }), most);
  show("read and verify rsa-sha256", rate([&](size_t i) { of_rsa.read_and_verify(i); }), most);
  show("verify ed25519-sha256", rate([&](size_t i) { of_ed25519.verify(i); }), 0);
  show_allocations(of_rsa);
  const auto key = crypto::SigningKey::from_pem(pem, "key");
  show("sign rsa-sha256", rate([&](size_t i) {
         if (!sign_dkim(rsa.messages[i], *key, {.domain = "shop.example", .selector = "s"})) {
           std::abort();
         }
       }),
       0);
}

void verify_only() {
  const Work work = work_for(crypto::new_rsa_pem(2048));
  Verification verification(work);
  for (size_t pass = 0; pass < 200; ++pass) {
    for (size_t i = 0; i < kMessages; ++i) verification.verify(i);
  }
}

void write(const std::filesystem::path& folder) {
  const Work work = work_for(crypto::new_rsa_pem(2048));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "key.txt") << work.record;
  for (size_t i = 0; i < work.texts.size(); ++i) {
    std::ofstream(folder / fmt::format("{:04}.eml", i), std::ios::binary) << work.texts[i];
  }
}

}  // namespace
}  // namespace watchpost::auth

int main(int argc, char** argv) {
  CRYPTO_set_mem_functions(counted, counted_again, freed);
  if (argc == 3 && std::string_view(argv[1]) == "--write") {
    watchpost::auth::write(argv[2]);
  } else if (argc == 2 && std::string_view(argv[1]) == "--verify") {
    watchpost::auth::verify_only();
  } else if (argc == 1) {
    watchpost::auth::figures();
  } else {
    fmt::print(stderr, "usage: dkim_bench [--verify | --write FOLDER]\n");
    return 2;
  }
  return 0;
}
