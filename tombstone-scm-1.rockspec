rockspec_format = "3.0"
package = "tombstone"
version = "scm-1"

source = {
  url = "git+file://.",
}

description = {
  summary = "An ORM engine with soft delete",
  detailed = [[
Models, queries, transactions and migrations on SQLite, with a deletion that
can be undone: rows are marked, uniqueness is kept among the living, whole
deletions are restored as one. A C core with a Lua module.]],
  license = "MIT",
  labels = { "orm", "sqlite", "soft-delete" },
}

dependencies = {
  "lua >= 5.1, < 5.5",
}

external_dependencies = {
  SQLITE = { header = "sqlite3.h" },
}

-- The Lua sources compiled into the module are made by CMake.
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "RelWithDebInfo",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    TOMB_LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
    TOMB_INSTALL_CMOD = "$(LIBDIR)",
    TOMB_INSTALL_LMOD = "$(LUADIR)",
    TOMB_INSTALL_BIN = "$(BINDIR)",
    BUILD_TESTING = "OFF",
  },
}
