{
  # The other way to build what CMakeLists.txt builds, with the same flags, for prebuilds and clones without cmake.
  # Node's common.gypi brings -O3 and -fno-exceptions.
  'targets': [
    {
      'target_name': 'sttstream',
      'sources': ['<!@(node -p "require(\'fs\').readFileSync(\'native/sources.txt\', \'utf8\')")'],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      # Without RTTI std::make_shared calls for a symbol of gcc 9: see native/libc_floor.cc.
      'cflags_cc!': ['-fno-rtti'],
      'cflags_cc': ['-std=c++17', '-fvisibility=hidden', '-ffp-contract=off', '-fomit-frame-pointer'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'OTHER_CPLUSPLUSFLAGS': ['-ffp-contract=off'],
      },
      'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['/std:c++17']}},
      'configurations': {
        'Release': {'defines': ['NDEBUG']},
        'Debug': {'defines': ['NODE_ADDON_API_ENABLE_TYPE_CHECK_ON_AS']},
      },
    },
  ],
}
