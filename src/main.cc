#include "app/serve.h"
#include "cli/cli.h"

int main(int argc, char** argv) {
  return watchpost::cli::run(argc, argv, {.serve = watchpost::app::serve});
}
