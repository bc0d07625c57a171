#pragma once
#include "feedback/reports/notice.h"

#include <vector>

namespace watchpost::feedback {

// Finds who a notice speaks of and what it says of each; adds them to `notice`. An address counts
// by where it stands, and only the best sort that there is counts:
//   named     behind words that announce a recipient, in X-Failed-Recipients, or first on a line
//             below words that announce a list
//   leading   first on a line
//   single    anywhere, if it is the only one of the text
// Never: the addresses of postmasters and desks and of the sender, and the one that the notice was
// sent to unless it is named.
void find_recipients(const mime::Message& message, const std::vector<NoticeLine>& lines,
                     Notice& notice);

}  // namespace watchpost::feedback
