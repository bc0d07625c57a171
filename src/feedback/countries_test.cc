#include "feedback/countries.h"

#include "feedback/mapping.h"
#include "feedback/test_mmdb.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using test::MmdbWriter;

class Geo : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("watchpost-geo-{}", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& bytes, const std::string& name = "geo.mmdb") const {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

std::string_view country(const Countries& countries, std::string_view address) {
  const auto read = client_address(address);
  return read ? countries.of(*read) : "no address";
}

MmdbWriter sample() {
  MmdbWriter writer;
  writer.add_v4({192, 0, 2, 0}, 24, "DE");
  writer.add_v4({198, 51, 100, 0}, 25, "BR");
  writer.add({0x20, 0x01, 0x0d, 0xb8}, 32, "JP");
  return writer;
}

TEST_F(Geo, SaysTheCountryOfAnAddress) {
  const auto countries = Countries::open(file(sample().bytes()));
  ASSERT_TRUE(countries) << countries.error().text();
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(country(**countries, "192.0.2.1"), "DE");
    EXPECT_EQ(country(**countries, "198.51.100.1"), "BR");
    EXPECT_EQ(country(**countries, "198.51.100.200"), "");
    EXPECT_EQ(country(**countries, "203.0.113.1"), "");
    EXPECT_EQ(country(**countries, "2001:db8::1"), "JP");
    EXPECT_EQ(country(**countries, "2001:db9::1"), "");
    EXPECT_EQ(country(**countries, "::ffff:192.0.2.1"), "DE");
  }
}

TEST_F(Geo, KnowsTheShapesOfOtherMakers) {
  MmdbWriter writer;
  const auto add = [&](uint8_t last, const std::string& value) {
    writer.add_value(MmdbWriter::within_v6({192, 0, 2, last}), 128, value);
  };
  add(1, MmdbWriter::map({{"country_code", MmdbWriter::text("FR")}}));
  add(2, MmdbWriter::map({{"country", MmdbWriter::text("US")}}));
  add(3, MmdbWriter::map({{"country", MmdbWriter::text("United States")}}));
  add(4,
      MmdbWriter::map({{"country", MmdbWriter::map({{"iso_code", MmdbWriter::text("d\x80")}})}}));
  add(5, MmdbWriter::map({{"country", MmdbWriter::number(6, 12)}}));
  add(6, MmdbWriter::text("DE"));
  const auto countries = Countries::from_bytes(writer.bytes());
  ASSERT_TRUE(countries) << countries.error().text();
  EXPECT_EQ(country(**countries, "192.0.2.1"), "FR");
  EXPECT_EQ(country(**countries, "192.0.2.2"), "US");
  for (const char* none : {"192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"}) {
    EXPECT_EQ(country(**countries, none), "") << none;
  }
}

TEST_F(Geo, AMissingOrBrokenFileIsAnError) {
  EXPECT_EQ(Countries::from({}).value(), nullptr);
  const auto missing = Countries::from({.database = folder_ / "none.mmdb"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().about.find("[geo] `database`"), std::string::npos);
  EXPECT_NE(missing.error().about.find("none.mmdb"), std::string::npos);
  const auto is_bad = [&](const std::string& path) {
    const auto made = Countries::from({.database = path});
    EXPECT_FALSE(made) << path;
    const Code code = made ? Code::internal : made.error().code;
    EXPECT_EQ(code, Code::bad_input) << path;
  };
  is_bad(file(""));
  is_bad(file("not a database"));
  is_bad(folder_);
  const std::string whole = sample().bytes();
  is_bad(file(whole.substr(0, whole.size() / 2)));
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  is_bad(folder_ / "fifo");
}

TEST_F(Geo, ReloadTakesTheNewFileOrKeepsTheOldOne) {
  const std::string path = file(sample().bytes());
  const auto countries = Countries::open(path).value();
  EXPECT_EQ(country(*countries, "192.0.2.1"), "DE");
  // Cut off in place, as a careless copy does: nothing happens.
  file("");
  EXPECT_EQ(country(*countries, "192.0.2.2"), "DE");
  ASSERT_FALSE(countries->reload());
  EXPECT_EQ(country(*countries, "192.0.2.1"), "DE");
  MmdbWriter moved;
  moved.add_v4({192, 0, 2, 0}, 24, "PL");
  file(moved.bytes());
  ASSERT_TRUE(countries->reload());
  EXPECT_EQ(country(*countries, "192.0.2.1"), "PL");
  EXPECT_EQ(country(*countries, "198.51.100.1"), "");
}

TEST_F(Geo, LooksUpWhileItIsReloaded) {
  const std::string path = file(sample().bytes());
  const auto countries = Countries::open(path).value();
  std::atomic<bool> done = false;
  std::vector<std::jthread> threads;
  for (uint32_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint32_t i = thread; !done; ++i) {
        const ClientAddress address{.v4 = 0xc0000200 | (i & 255)};
        EXPECT_EQ(countries->of(address), "DE");
      }
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(countries->reload());
  done = true;
}

// Answers are those of the database, also where many addresses share a place in the cache.
TEST_F(Geo, TheCacheNeverMixesAddresses) {
  MmdbWriter writer;
  for (int i = 0; i < 256; ++i) {
    const std::string code{static_cast<char>('A' + i / 26), static_cast<char>('A' + i % 26)};
    writer.add_v4({10, static_cast<uint8_t>(i), 0, 0}, 16, code);
  }
  const auto countries = Countries::from_bytes(writer.bytes()).value();
  std::mt19937 random(3);
  for (int round = 0; round < 100'000; ++round) {
    const auto second = static_cast<uint32_t>(random() % 256);
    const auto last = static_cast<uint32_t>(random() % 256);
    const ClientAddress address{.v4 = 10U << 24 | second << 16 | last};
    const std::string code{static_cast<char>('A' + second / 26),
                           static_cast<char>('A' + second % 26)};
    ASSERT_EQ(countries->of(address), code);
  }
}

// Whatever stands in the file, it is refused or answers.
TEST_F(Geo, DamagedDatabasesAreSurvived) {
  const std::string whole = sample().bytes();
  std::mt19937 random(5);
  size_t opened = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::string bytes = whole;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    const auto countries = Countries::from_bytes(bytes);
    if (!countries) continue;
    ++opened;
    for (const char* address : {"192.0.2.1", "198.51.100.1", "255.255.255.255", "2001:db8::1",
                                "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
      const std::string_view code = country(**countries, address);
      EXPECT_TRUE(code.empty() || code.size() == 2);
    }
  }
  EXPECT_GT(opened, 100U);
}

Event mapped(const Mapping& mapping, EventBatch& batch, const Event& given) {
  Event& event = batch.copy(given);
  mapping.apply(event, batch);
  return event;
}

TEST_F(Geo, TheMappingPlacesClients) {
  const auto mapping = Mapping::from({{"customer", "client_network", "^192\\.0\\.2\\.", "in-house"},
                                      {"campaign", "client_country", "", ""},
                                      {"client_ip", "peer_ip", "", ""}},
                                     Countries::from_bytes(sample().bytes()).value());
  ASSERT_TRUE(mapping);
  EventBatch batch;
  Event given;
  given[Field::client_ip] = "192.0.2.77";
  Event event = mapped(*mapping, batch, given);
  EXPECT_EQ(event[Field::client_network], "192.0.2.0/24");
  EXPECT_EQ(event[Field::client_country], "DE");
  EXPECT_EQ(event[Field::customer], "in-house");
  EXPECT_EQ(event[Field::campaign], "DE");
  // What is there stays.
  given[Field::client_network] = "192.0.0.0/16";
  event = mapped(*mapping, batch, given);
  EXPECT_EQ(event[Field::client_network], "192.0.0.0/16");
  EXPECT_EQ(event[Field::client_country], "DE");
  given[Field::client_country] = "XX";
  EXPECT_EQ(mapped(*mapping, batch, given)[Field::client_country], "XX");
  // A rule may say what the client's address is.
  Event relayed;
  relayed[Field::peer_ip] = "2001:db8::5";
  event = mapped(*mapping, batch, relayed);
  EXPECT_EQ(event[Field::client_network], "2001:db8::/48");
  EXPECT_EQ(event[Field::client_country], "JP");
  for (const std::string_view none : {"", "unknown", "fe80::1%eth0"}) {
    Event nowhere;
    nowhere[Field::client_ip] = none;
    event = mapped(*mapping, batch, nowhere);
    EXPECT_EQ(event[Field::client_network], "") << none;
    EXPECT_EQ(event[Field::client_country], "") << none;
  }
}

TEST_F(Geo, WithoutADatabaseOnlyTheNetworkIsKnown) {
  EventBatch batch;
  Event given;
  given[Field::client_ip] = "192.0.2.77";
  const Event event = mapped(Mapping(), batch, given);
  EXPECT_EQ(event[Field::client_network], "192.0.2.0/24");
  EXPECT_EQ(event[Field::client_country], "");
}

}  // namespace
}  // namespace watchpost::feedback
