// Keys: made, added to, looked after; and files that no key opens.
#include "base/files.h"
#include "quarantine/quarantine_fixture.h"

#include <sys/stat.h>

namespace watchpost::quarantine {
namespace {

class KeyFileTest : public QuarantineTest {
 protected:
  Error refused() {
    quarantine_.reset();
    const auto opened = LiveQuarantine::open(parts());
    return opened ? Error{Code::internal, "it was opened", {}} : opened.error();
  }
  void write_keys(const std::string& text) { value_of(replace_file(key_file(), text, 0600)); }
};

std::string hex_key(char digit) { return std::string(64, digit); }

TEST_F(KeyFileTest, NewOnesAreTheOwnersAlone) {
  const std::string path = path_ + "/another";
  value_of(make_key_file(path));
  struct stat about{};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_EQ(value_of(read_key_file(path)).size(), 1u);
  const std::string before = value_of(read_file(path));
  EXPECT_EQ(make_key_file(path).error().code, Code::refused);
  EXPECT_EQ(value_of(read_file(path)), before);
  EXPECT_NE(value_of(read_file(key_file())), before);
}

TEST_F(KeyFileTest, WhatIsNoKeyFileIsSaidWhereItIsNot) {
  EXPECT_EQ(value_of(parse_keys("# a\n\n  k1 " + hex_key('a') + "\r\nk2\t" + hex_key('0') + "\n"))
                .newest()
                .id,
            "k1");
  const struct {
    std::string text;
    std::string_view says;
  } cases[] = {
      {"", "no key"},
      {"# only words\n", "no key"},
      {"k1 " + hex_key('g'), "line 1"},
      {"\nk1 " + hex_key('a') + "0", "line 2"},
      {"k1 " + hex_key('a').substr(1), "line 1"},
      {"k1", "line 1"},
      {hex_key('a'), "line 1"},
      {"k1 " + hex_key('a') + " more", "line 1"},
      {"k/1 " + hex_key('a'), "line 1"},
      {std::string(33, 'k') + " " + hex_key('a'), "line 1"},
      {"k1 " + hex_key('a') + "\nk1 " + hex_key('b'), "line 2"},
      {"k1 " + std::string(62, 'a') + "-1", "line 1"},
      {"k1 " + std::string(62, 'a') + "0x", "line 1"},
  };
  for (const auto& one : cases) {
    const auto keys = parse_keys(one.text);
    ASSERT_FALSE(keys) << one.text;
    EXPECT_EQ(keys.error().code, Code::bad_input);
    EXPECT_NE(keys.error().what.find(one.says), std::string::npos) << keys.error().what;
    EXPECT_EQ(keys.error().what.find("aaaa"), std::string::npos) << "the key is secret";
  }
}

TEST_F(KeyFileTest, WithoutItNothingStarts) {
  keep_one();
  std::filesystem::remove(key_file());
  const Error error = refused();
  EXPECT_EQ(error.code, Code::refused);
  EXPECT_NE(error.what.find("watchpost quarantine new-key " + key_file()), std::string::npos);
}

TEST_F(KeyFileTest, OneThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0610U}) {
    ASSERT_EQ(::chmod(key_file().c_str(), mode), 0);
    const Error error = refused();
    EXPECT_EQ(error.code, Code::refused);
    EXPECT_NE(error.what.find("chmod 0600"), std::string::npos) << error.what;
  }
  ASSERT_EQ(::chmod(key_file().c_str(), 0400), 0);
  open();
}

TEST_F(KeyFileTest, AKeyThatIsInUseMustBeThere) {
  const HeldId id = keep_one();
  const std::string old = value_of(read_file(key_file()));
  write_keys("other " + hex_key('a') + "\n");
  const Error error = refused();
  EXPECT_EQ(error.code, Code::refused);
  EXPECT_NE(error.what.find("put it back"), std::string::npos) << error.what;
  write_keys("other " + hex_key('a') + "\n" + old);
  EXPECT_EQ(value_of(it().read(id)).verdict, "{\"v\":1}");
  // Nothing that it has sealed is here any more: it may go.
  value_of(it().discard(id, {}, "eve"));
  write_keys("other " + hex_key('a') + "\n");
  open();
}

TEST_F(KeyFileTest, TheWrongKeyOfTheRightNameOpensNothing) {
  const HeldId id = keep_one();
  const std::string name = value_of(read_key_file(key_file())).newest().id;
  write_keys(name + " " + hex_key('a') + "\n");
  open();
  const auto read = it().read(id);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_EQ(read.error().about, file_of(id));
}

TEST_F(KeyFileTest, RotatedOldOnesAreReadAndNewOnesSealWithTheNewKey) {
  const HeldId before = keep_one();
  const std::string old = value_of(read_key_file(key_file())).newest().id;
  const std::string id = value_of(add_key(key_file()));
  EXPECT_NE(id, old);
  struct stat about{};
  ASSERT_EQ(::stat(key_file().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  open();
  const HeldId after = keep_one();
  const HeldFiles files = value_of(HeldFiles::open(folder(), value_of(read_key_file(key_file()))));
  EXPECT_EQ(value_of(files.key_of(before)), old);
  EXPECT_EQ(value_of(files.key_of(after)), id);
  EXPECT_EQ(value_of(it().rekey()), 1u);
  EXPECT_EQ(value_of(it().rekey()), 0u);
  EXPECT_EQ(value_of(files.key_of(before)), id);
  // The old key is not needed any more.
  const std::string text = value_of(read_file(key_file()));
  write_keys(text.substr(0, text.find(old)));
  open();
  EXPECT_EQ(value_of(it().read(before)).message, "Subject: 1\r\n\r\nText\r\n");
  EXPECT_EQ(value_of(it().read(after)).message, "Subject: 2\r\n\r\nText\r\n");
}

TEST_F(KeyFileTest, WhatCannotBeWrittenAnewKeepsItsKey) {
  const HeldId whole = keep_one();
  const HeldId broken = keep_one();
  value_of(replace_file(file_of(broken), "no such file", 0600));
  value_of(add_key(key_file()));
  open();
  const auto rekeyed = it().rekey();
  ASSERT_FALSE(rekeyed);
  EXPECT_EQ(rekeyed.error().code, Code::corrupt);
  EXPECT_EQ(rekeyed.error().about, file_of(broken));
  EXPECT_EQ(value_of(it().read(whole)).message, "Subject: 1\r\n\r\nText\r\n");
  const std::string text = value_of(read_file(key_file()));
  write_keys(text.substr(0, text.rfind("\nk") + 1));
  EXPECT_EQ(refused().code, Code::refused);
}

TEST_F(KeyFileTest, ADamagedFileIsToldFromAWholeOne) {
  const HeldId id = keep_one();
  const HeldId other = keep_one();
  const std::string whole = value_of(read_file(file_of(id)));
  const auto read_with = [&](const std::string& bytes) {
    value_of(replace_file(file_of(id), bytes, 0600));
    const auto read = it().read(id);
    return read ? Code::internal : read.error().code;
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    ASSERT_EQ(read_with(flipped), Code::corrupt) << at;
  }
  for (size_t size = 0; size < whole.size(); size += 11) {
    ASSERT_EQ(read_with(whole.substr(0, size)), Code::corrupt) << size;
  }
  EXPECT_EQ(read_with(whole + "x"), Code::corrupt);
  // A whole file under another's name.
  EXPECT_EQ(read_with(value_of(read_file(file_of(other)))), Code::corrupt);
  value_of(replace_file(file_of(id), whole, 0600));
  EXPECT_EQ(value_of(it().read(id)).message, "Subject: 1\r\n\r\nText\r\n");
}

TEST_F(KeyFileTest, TwoProcessesCannotHaveIt) {
  open();
  const auto second = LiveQuarantine::open(parts());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::refused);
}

}  // namespace
}  // namespace watchpost::quarantine
