#pragma once
#include "net/tls.h"

#include <boost/asio/ssl/context.hpp>

namespace watchpost::net {

// Apart from tls.h, so that OpenSSL and Asio's part of it stay out of what includes that.
struct TlsIdentity::Context {
  boost::asio::ssl::context ssl{boost::asio::ssl::context::tls_server};
};

}  // namespace watchpost::net
