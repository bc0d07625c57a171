// Holds the server to docs/reference/openapi.json.
#include "api/routes_fixture.h"
#include "base/text.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;

const json::value& contract() {
  static const json::value document = [] {
    std::ifstream in(WATCHPOST_SOURCE_DIR "/docs/reference/openapi.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return document;
}

// The little of JSON Schema that openapi.json uses. Says where `value` is not as the schema has it.
class SchemaCheck {
 public:
  std::vector<std::string> faults;

  void check(const json::value& value, const json::object& schema, const std::string& where) {
    if (const auto* reference = schema.if_contains("$ref")) {
      const std::string name(reference->as_string());
      const std::string prefix = "#/components/schemas/";
      ASSERT_TRUE(name.starts_with(prefix));
      const auto& all = contract().at("components").at("schemas").as_object();
      return check(value, all.at(name.substr(prefix.size())).as_object(), where);
    }
    check_type(value, schema, where);
    if (value.is_object()) check_object(value.get_object(), schema, where);
    if (value.is_array()) {
      size_t number = 0;
      for (const auto& item : value.get_array()) {
        check(item, schema.at("items").as_object(), where + "/" + std::to_string(number++));
      }
    }
  }

 private:
  static bool is_of(const json::value& value, std::string_view type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    return type == "number" && value.is_number();
  }

  void check_type(const json::value& value, const json::object& schema, const std::string& where) {
    const auto* type = schema.if_contains("type");
    if (!type) return;
    bool fits = false;
    if (type->is_string()) {
      fits = is_of(value, std::string(type->as_string()));
    } else {
      for (const auto& one : type->as_array()) fits |= is_of(value, std::string(one.as_string()));
    }
    if (!fits) faults.push_back(where + ": wrong type");
    if (const auto* choices = schema.if_contains("enum")) {
      if (std::ranges::find(choices->as_array(), value) == choices->as_array().end()) {
        faults.push_back(where + ": not one of the values");
      }
    }
    const auto* format = schema.if_contains("format");
    if (format && value.is_string() && !parse_time(std::string(value.get_string()))) {
      faults.push_back(where + ": not a time");
    }
  }

  void check_object(const json::object& value, const json::object& schema,
                    const std::string& where) {
    const auto* properties = schema.if_contains("properties");
    if (const auto* required = schema.if_contains("required")) {
      for (const auto& name : required->as_array()) {
        if (!value.contains(name.as_string())) {
          faults.push_back(where + ": no " + std::string(name.as_string()));
        }
      }
    }
    for (const auto& [name, member] : value) {
      const std::string inside = where + "/" + std::string(name);
      const auto* known = properties ? properties->as_object().if_contains(name) : nullptr;
      const auto& others = schema.at("additionalProperties");
      if (known) {
        check(member, known->as_object(), inside);
      } else if (others.is_object()) {
        check(member, others.as_object(), inside);
      } else if (!others.as_bool()) {
        faults.push_back(inside + ": not in the contract");
      }
    }
  }
};

const json::object& operation(const Route& route) {
  return contract()
      .at("paths")
      .at(std::string(route.path))
      .at(lower_ascii(route.method))
      .as_object();
}

TEST(OpenApi, HasTheRoutesAndNoOthers) {
  std::set<std::string> described;
  for (const auto& [path, methods] : contract().at("paths").as_object()) {
    for (const auto& [method, what] : methods.as_object()) {
      described.insert(std::string(method) + " " + std::string(path));
    }
  }
  for (const Route& route : routes()) {
    EXPECT_EQ(described.erase(lower_ascii(route.method) + " " + std::string(route.path)), 1u)
        << route.method << " " << route.path;
    const std::string role(operation(route).at("x-role").as_string());
    EXPECT_EQ(role, route.role ? name_of(*route.role) : "anybody") << route.path;
    EXPECT_EQ(operation(route).contains("x-read-mail"), route.reads_mail) << route.path;
  }
  EXPECT_TRUE(described.empty()) << *described.begin();
}

TEST(OpenApi, HoldsForEveryAnswer) {
  RoutesFixture fixture;
  for (const Route& route : routes()) {
    if (route.path == "/metrics" || route.path == "/u/{id}" || route.path.ends_with("/eml") ||
        route.path == "/v1/quarantine/request") {
      continue;  // no JSON
    }
    const auto response = fixture.ask(std::string(route.method), with_id(route.path),
                                      needed_query(route.path), good_body(route.path));
    EXPECT_EQ(response.status, 200) << route.path << response.body;
    const auto& schema = operation(route)
                             .at("responses")
                             .at("200")
                             .at("content")
                             .at(response.content_type)
                             .at("schema")
                             .as_object();
    SchemaCheck checked;
    checked.check(json::parse(response.body), schema, std::string(route.path));
    for (const std::string& fault : checked.faults) ADD_FAILURE() << fault;
  }
}

TEST(OpenApi, HoldsForErrors) {
  RoutesFixture fixture;
  fixture.desk.break_down({Code::unavailable, "not now \xff", "\x1b[0m"});
  for (const Route& route : routes()) {
    if (route.path == "/metrics" || route.path == "/health" || route.lane == Lane::push) continue;
    const auto response = fixture.ask(std::string(route.method), with_id(route.path),
                                      needed_query(route.path), good_body(route.path));
    EXPECT_EQ(response.status, 503) << route.path;
    SchemaCheck checked;
    checked.check(json::parse(response.body),
                  contract().at("components").at("schemas").at("Error").as_object(), "error");
    for (const std::string& fault : checked.faults) ADD_FAILURE() << fault;
  }
}

// Every query field that is described is taken, and every body key.
TEST(OpenApi, DescribesWhatIsTaken) {
  RoutesFixture fixture;
  for (const Route& route : routes()) {
    const auto* parameters = operation(route).if_contains("parameters");
    if (!parameters) continue;
    for (const auto& parameter : parameters->as_array()) {
      if (parameter.at("in").as_string() != "query") continue;
      const std::string name(parameter.at("name").as_string());
      decltype(net::HttpRequest::query) query{
          {name, name == "limit"                            ? "5"
                 : name == "all"                            ? "true"
                 : name == "worst"                          ? "5"
                 : name == "party"                          ? "domain"
                 : name == "kind"                           ? "bounced"
                 : name == "reason"                         ? "complaint"
                 : route.path == "/v1/suppressions/changes" ? "7"
                 : name == "stream"                         ? "credential=a"
                 : name == "past"                           ? "30d"
                 : name == "since" || name == "until"       ? "2h"
                 : name == "decision"                       ? "d-17"
                 : name == "direction"                      ? "inbound"
                 : name == "state"                          ? "held"
                 : name == "requested" || name == "dry_run" ? "true"
                 : name == "again"                          ? "true"
                 : name.ends_with("_size")                  ? "5"
                 : name == "t"                              ? "good"
                                                            : "x"}};
      query.merge(needed_query(route.path));
      EXPECT_EQ(fixture.ask(std::string(route.method), std::string(route.path), query).status, 200)
          << route.path << " " << name;
    }
  }
  const auto& taken = operation(*find_route("GET", "/v1/events")->route).at("parameters");
  for (const FieldInfo& info : fields()) {
    EXPECT_TRUE(std::ranges::any_of(taken.as_array(), [&](const json::value& one) {
      return one.at("name").as_string() == info.name;
    })) << info.name;
  }
}

}  // namespace
}  // namespace watchpost::api
