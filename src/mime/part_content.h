#pragma once
#include "mime/message.h"

#include <string>
#include <string_view>

namespace watchpost::mime {

// What the header of a part says about its content: fills type, disposition and encoding.
// `usual_type` is what a part is that says nothing. `message` is what the views look into; places
// of findings count from its begin.
void read_content(Part& part, std::string_view usual_type, std::string_view message,
                  Findings& findings);

// A message is within the part, and can be read where it stands.
bool holds_message(const Part& part);

// The boundary of a multipart, byte by byte as its lines have it; empty where there is none.
std::string boundary_of(const Part& part, std::string_view message, Findings& findings);

}  // namespace watchpost::mime
