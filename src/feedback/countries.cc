#include "feedback/countries.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <maxminddb.h>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <random>
#include <shared_mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr uint64_t kLargest = 1024 * 1024 * 1024;
constexpr int kLetters = 26;

// A country as a number: 0 where it is not known, else 1 and what its letters say.
using Country = uint32_t;

constexpr auto kTexts = [] {
  std::array<std::array<char, 2>, 1 + kLetters * kLetters> texts{};
  for (size_t i = 1; i < texts.size(); ++i) {
    texts[i] = {static_cast<char>('A' + (i - 1) / kLetters),
                static_cast<char>('A' + (i - 1) % kLetters)};
  }
  return texts;
}();

std::string_view text_of(Country country) {
  return {kTexts[country].data(), country == 0 ? size_t{0} : size_t{2}};
}

Country country_from(std::string_view code) {
  if (code.size() != 2) return 0;
  const auto first = static_cast<unsigned>(code[0] - 'A');
  const auto second = static_cast<unsigned>(code[1] - 'A');
  return first < kLetters && second < kLetters ? 1 + first * kLetters + second : 0;
}

class File {
 public:
  explicit File(int number) : number_(number) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

bool write_all(int file, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

// An open database. Its bytes are a copy that nobody else can change or cut off.
class Database {
 public:
  // `copy` is the file in memory.
  static Result<std::shared_ptr<const Database>> open(const File& copy) {
    auto made = std::shared_ptr<Database>(new Database);
    const std::string name = fmt::format("/proc/self/fd/{}", copy.number());
    const int fault = MMDB_open(name.c_str(), MMDB_MODE_MMAP, &made->database_);
    if (fault != MMDB_SUCCESS) {
      return fail(Code::bad_input,
                  fmt::format("is not a MaxMind DB, or damaged: {}", MMDB_strerror(fault)));
    }
    made->opened_ = true;
    return made;
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (opened_) MMDB_close(&database_);
  }

  Country of(const ClientAddress& address) const {
    int fault = MMDB_SUCCESS;
    const sockaddr_storage socket = socket_of(address);
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&database_, reinterpret_cast<const sockaddr*>(&socket), &fault);
    if (fault != MMDB_SUCCESS || !found.found_entry) return 0;
    // MaxMind and DB-IP; IPinfo, new and old.
    for (const auto& path : {std::array<const char*, 3>{"country", "iso_code", nullptr},
                             std::array<const char*, 3>{"country_code", nullptr, nullptr},
                             std::array<const char*, 3>{"country", nullptr, nullptr}}) {
      MMDB_entry_data_s data{};
      if (MMDB_aget_value(&found.entry, &data, path.data()) != MMDB_SUCCESS) continue;
      if (!data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
      return country_from({data.utf8_string, data.data_size});
    }
    return 0;
  }

 private:
  Database() = default;
  static sockaddr_storage socket_of(const ClientAddress& address) {
    sockaddr_storage storage{};
    if (!address.v6) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(address.v4);
      return storage;
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    for (size_t i = 0; i < address.groups.size(); ++i) {
      v6.sin6_addr.s6_addr[2 * i] = static_cast<uint8_t>(address.groups[i] >> 8);
      v6.sin6_addr.s6_addr[2 * i + 1] = static_cast<uint8_t>(address.groups[i]);
    }
    return storage;
  }

  MMDB_s database_{};
  bool opened_ = false;
};

Result<std::shared_ptr<const Database>> database_from(std::string_view bytes) {
  const File copy(::memfd_create("countries", MFD_CLOEXEC));
  if (copy.number() < 0 || !write_all(copy.number(), bytes.data(), bytes.size())) {
    return fail(Code::exhausted, fmt::format("cannot be kept in memory: {}", std::strerror(errno)));
  }
  return Database::open(copy);
}

Result<std::shared_ptr<const Database>> database_at(const std::string& path) {
  const auto unreadable = [&](Code code) {
    return fail(code, fmt::format("cannot be read: {}", std::strerror(errno)), path);
  };
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return unreadable(Code::not_found);
  struct stat seen{};
  if (::fstat(file.number(), &seen) != 0) return unreadable(Code::not_found);
  if (!S_ISREG(seen.st_mode)) return fail(Code::bad_input, "is not a regular file", path);
  if (static_cast<uint64_t>(seen.st_size) > kLargest) {
    return fail(Code::bad_input, "is larger than 1 GiB", path);
  }
  std::string bytes(static_cast<size_t>(seen.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(Code::unavailable);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  auto made = database_from(std::string_view(bytes).substr(0, done));
  if (!made) return fail(made.error().code, made.error().what, path);
  return made;
}

// Spreads the bits of a number; gives different ones for different ones.
uint64_t mixed(uint64_t number) {
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ number >> 27) * 0x94d049bb133111ebULL;
  return number ^ number >> 31;
}

// The last answers, without a lock: each is one word, which holds what it answers to.
class LastAnswers {
 public:
  // `generation` tells answers of this database from those of one before.
  std::optional<Country> find(uint64_t hash, uint32_t generation) const {
    const uint64_t word = words_[hash >> kIndexShift].load(std::memory_order_relaxed);
    if ((word ^ word_for(hash, generation, 0)) >> kAnswerBits != 0) return std::nullopt;
    return (word & kAnswerMask) - 1;
  }
  void keep(uint64_t hash, uint32_t generation, Country country) {
    words_[hash >> kIndexShift].store(word_for(hash, generation, country + 1),
                                      std::memory_order_relaxed);
  }

 private:
  static constexpr unsigned kIndexShift = 50;  // 16384 answers
  static constexpr unsigned kAnswerBits = 10;
  static constexpr unsigned kGenerationBits = 12;
  static constexpr uint64_t kAnswerMask = (1U << kAnswerBits) - 1;
  static uint64_t word_for(uint64_t hash, uint32_t generation, uint64_t answer) {
    const uint64_t age = generation & ((1U << kGenerationBits) - 1);
    return hash << (kAnswerBits + kGenerationBits) | age << kAnswerBits | answer;
  }
  std::array<std::atomic<uint64_t>, 1U << (64 - kIndexShift)> words_{};
};

}  // namespace

void fields(SettingsVisitor& visit, GeoSettings& settings) {
  visit.setting({.name = "database",
                 .help = "MaxMind DB file (.mmdb) that says in which country an address is: "
                         "fills client_country; read again by a reload; empty: none"},
                &settings.database);
}

struct Countries::State {
  std::string path;
  uint64_t seed = std::random_device{}();
  // Never 0, which is what an answer that was never kept has.
  std::atomic<uint32_t> generation = 1;
  mutable LastAnswers answers;
  mutable std::shared_mutex mutex;  // of what follows
  std::shared_ptr<const Database> database;

  uint64_t hash_of(const ClientAddress& address) const {
    if (!address.v6) return mixed(address.v4 ^ seed);
    const char* const bytes = reinterpret_cast<const char*>(address.groups.data());
    return hash64({bytes, sizeof address.groups}, seed);
  }
  void use(std::shared_ptr<const Database> made) {
    const std::unique_lock lock(mutex);
    database = std::move(made);
    uint32_t next = generation.load(std::memory_order_relaxed) + 1;
    if (next % 4096 == 0) ++next;
    generation.store(next, std::memory_order_relaxed);
  }
};

Countries::Countries(std::unique_ptr<State> state) : state_(std::move(state)) {}
Countries::~Countries() = default;

Result<std::shared_ptr<Countries>> Countries::open(const std::string& path) {
  auto database = database_at(path);
  if (!database) return fail(database.error());
  auto state = std::make_unique<State>();
  state->path = path;
  state->database = std::move(*database);
  return std::shared_ptr<Countries>(new Countries(std::move(state)));
}

Result<std::shared_ptr<Countries>> Countries::from_bytes(std::string_view bytes) {
  auto database = database_from(bytes);
  if (!database) return fail(database.error());
  auto state = std::make_unique<State>();
  state->database = std::move(*database);
  return std::shared_ptr<Countries>(new Countries(std::move(state)));
}

Result<std::shared_ptr<Countries>> Countries::from(const GeoSettings& settings) {
  if (settings.database.empty()) return nullptr;
  auto made = open(settings.database);
  if (!made) made.error().about = "[geo] `database`: " + made.error().about;
  return made;
}

std::string_view Countries::of(const ClientAddress& address) const {
  const uint64_t hash = state_->hash_of(address);
  const uint32_t generation = state_->generation.load(std::memory_order_relaxed);
  if (const auto known = state_->answers.find(hash, generation)) return text_of(*known);
  const std::shared_lock lock(state_->mutex);
  const Country country = state_->database->of(address);
  state_->answers.keep(hash, state_->generation.load(std::memory_order_relaxed), country);
  return text_of(country);
}

Result<Done> Countries::reload() {
  if (state_->path.empty()) return Done{};
  auto database = database_at(state_->path);
  if (!database) {
    return fail(database.error().code, database.error().what,
                "[geo] `database`: " + database.error().about);
  }
  state_->use(std::move(*database));
  return Done{};
}

}  // namespace watchpost::feedback
