// The audit chain, and what it says of rows that somebody changed with another program.
#include "store/sqlite/database.h"
#include "store/store_fixture.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

class AuditTest : public StoreTest {
 protected:
  AuditTest() {
    const auto store = open();
    for (int i = 1; i <= 5; ++i) {
      Commit commit;
      commit.audit = {{kNoon, "watchpost", "decision made", fmt::format("d-{}", i), "why"},
                      {kNoon, "anna", "decision revoked", fmt::format("d-{}", i), ""}};
      value_of(store->commit(commit));
    }
  }
  void tamper(const char* sql) const {
    auto database =
        value_of(sqlite::Database::open(file("state.db"), sqlite::Database::Access::writer));
    value_of(database.run(sql));
  }
  // "audit row 7", or how many rows are well.
  std::string verdict() const {
    const auto rows = reader()->verify_audit();
    if (rows) return fmt::format("{} rows", *rows);
    EXPECT_EQ(rows.error().code, Code::corrupt);
    return rows.error().about;
  }
};

TEST_F(AuditTest, AWholeChainIsWell) {
  EXPECT_EQ(verdict(), "10 rows");
  EXPECT_EQ(value_of(reader()->audit(3)).size(), 3u);
  EXPECT_EQ(value_of(reader()->audit(3))[0].about, "d-5");
  EXPECT_EQ(value_of(reader()->audit(3))[0].who, "anna");
}

TEST_F(AuditTest, EachColumnIsHeld) {
  for (const char* column : {"who", "what", "about", "detail", "hash"}) {
    const std::string change = fmt::format(
        "CREATE TABLE kept AS SELECT * FROM audit; UPDATE audit SET {} = x'00' WHERE number = 4",
        column);
    tamper(change.c_str());
    EXPECT_EQ(verdict(), "audit row 4") << column;
    tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept");
    EXPECT_EQ(verdict(), "10 rows");
  }
  tamper("UPDATE audit SET at = at + 1 WHERE number = 10");
  EXPECT_EQ(verdict(), "audit row 10");
}

TEST_F(AuditTest, TextMovedBetweenColumnsIsSeen) {
  tamper("UPDATE audit SET about = x'', detail = x'642d31776879' WHERE number = 1");  // "d-1why"
  EXPECT_EQ(verdict(), "audit row 1");
}

TEST_F(AuditTest, AMissingRowIsSeen) {
  tamper("DELETE FROM audit WHERE number = 3");
  EXPECT_EQ(verdict(), "audit row 3");
}

TEST_F(AuditTest, AMissingRowIsSeenWhenTheRestMovesUp) {
  tamper(
      "DELETE FROM audit WHERE number = 3; UPDATE audit SET number = number - 1 WHERE number > 3;"
      "UPDATE ledger SET last_audit = 9");
  EXPECT_EQ(verdict(), "audit row 3");
}

TEST_F(AuditTest, AnEndCutOffIsSeenAndStaysSeen) {
  tamper("DELETE FROM audit WHERE number > 8");
  EXPECT_EQ(verdict(), "audit row 9");
  Commit commit;
  commit.audit = {{kNoon, "watchpost", "decision made", "d-9", ""}};
  value_of(open()->commit(commit));
  EXPECT_EQ(verdict(), "audit row 9");
}

TEST_F(AuditTest, AnExchangeOfRowsIsSeen) {
  tamper(
      "UPDATE audit SET number = -1 WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 6;"
      "UPDATE audit SET number = 6 WHERE number = -1");
  EXPECT_EQ(verdict(), "audit row 5");
}

TEST_F(AuditTest, AnAddedRowIsSeen) {
  tamper(
      "INSERT INTO audit SELECT 11, at, who, what, about, detail, hash FROM audit "
      "WHERE number = 10");
  EXPECT_EQ(verdict(), "audit row 11");
}

}  // namespace
}  // namespace watchpost::store
