/* Each scene's seconds, XXH3 of the samples. Written by tests/sound_digests.py. */
#ifndef SL_TESTS_SOUND_DIGESTS_H
#define SL_TESTS_SOUND_DIGESTS_H

#include "tests/unit/sound_scenes.h"

/* clang-format off */
static const char *const sound_digests[SOUND_SCENE_COUNT][SOUND_SECONDS] = {
    /* bass */
    {"d68090ab3926a4911f1ee6b9ea21960e",
     "1d97ead1ac554c44c39aac19880446d7",
     "cd6da2e65a9be6bca9b9b4c1bdcbe064",
     "e05df6ac68a858eb8466be516cd9c2f1",
     "da1f7a58c1f773d2f43ea95d1a43ff20"},
    /* lead */
    {"b933fd1c995e5b5767e369d63997a7d5",
     "68df61c92eb2c53ad8ba3b7517136d95",
     "2ad30bb4c392c5e8c1de8be133d2bc25",
     "ed01697b00fab3a43a617f19217ea16e",
     "bafbf98d028262e0bf67aa820fd02cca"},
    /* pad */
    {"52ccf4f396e9643c3804c46f5ca84c3c",
     "be313f677378ee32c9a4a65d178a5738",
     "68d26e66acb1d37c6240fc513df4fc7d",
     "c4729bb1711187594d44d238894abb11",
     "e56778169d226e58ff94d900d930e592"},
    /* keys */
    {"b003de0a51359969e367a5f64080a4f8",
     "cdec8ff8d13e52244f2937b0f7f01a82",
     "877a0c32f60f076ad5ab9401bfc1e961",
     "34c80ac98724f446720ce1f8a05ebf13",
     "da1f7a58c1f773d2f43ea95d1a43ff20"},
    /* pluck */
    {"634f853cfe45c3d27780606e3dd04144",
     "792fafdc482eb316d4f7c18c2afe4475",
     "3c541bcf0255f2c209d92d5cc378efc1",
     "39b92bfe9c5ffae59fc8d9a145f36d69",
     "20ce839a00a46fcbd31d91be64dc67bf"},
    /* kit */
    {"15bf340d383cf49228e5f93cd428b507",
     "a6e8a87ff8df5f2887fff2e4fc16cff0",
     "21277607135104c438fd35497868ea0b",
     "bc9d2fdd83406e96940ca0a37df05912",
     "dc7fdea783df5192b911cfb1ab22f5ff"},
    /* drive */
    {"e666051f94eeabb3f8c445065b471741",
     "8e463e0b1bfa65d4efa21658d56d7fcc",
     "528f455898914434d36df73c103c1163",
     "aadf04fa3d74df9f89a5cbe094552854",
     "da1f7a58c1f773d2f43ea95d1a43ff20"},
    /* filter */
    {"0d64263efe437bafab0e259e87c3182f",
     "4d15f87ab1800621eb7fdd6b95fce30e",
     "52e940375ab0a60f6fc0b321767428bc",
     "1094c39c18be54d81fe6223584fb145b",
     "786bc41115e8f86829ca9958ac1cc6c1"},
    /* chorus */
    {"9813bbf10e39f0f7ea2d5ae84b4c9964",
     "da234a290179e10f0773d2dbd3166f21",
     "7134943ee335f2b55401496023d009e1",
     "644124682fda0bc592431482d3fb2e2c",
     "da1f7a58c1f773d2f43ea95d1a43ff20"},
    /* delay */
    {"5d732ac57cc53707dfbde5f29652d976",
     "f2fe018a939c92fd4ff7b3cc60d0fc0c",
     "f5f4d01ceeed89f2211b43147f3c99c9",
     "aea0a68abecc0e2afb0133df22bb9b89",
     "704ab9061c8d3ebfcb23c9b808e1bc1c"},
    /* reverb */
    {"138ea6a7f4cda0591a8be174e3debc8c",
     "f923a4faf7113d818bd99f78c3ef4d04",
     "a69959c7f7249bcbed4a7c36a480f037",
     "29ec18201b933330d7d9036a45187326",
     "988f8b81e2b6261a1382176268bd33f4"},
};
/* clang-format on */

#endif
